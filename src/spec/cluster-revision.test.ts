import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleClusterService, sealedDocument } from '../../test/kit/cluster-service-sample.ts'
import { clusterRevisionOf } from './cluster-revision.ts'
import { resolveClusterService } from './resolve/resolve-cluster-service.ts'

type Spec = ReturnType<typeof sealedDocument>['spec']

const plain = clusterRevisionOf(sampleClusterService())
const revisionWith = (spec: Partial<Spec>): string => clusterRevisionOf(sampleClusterService(spec))

test('what pods are made of is another revision', () => {
  const other = `sha256:${'2'.repeat(64)}`
  const changes: Partial<Spec>[] = [
    { image: `registry.example/cats@${other}` },
    { model: { uri: 'image:///models', digest: other } },
    { env: [{ name: 'A', value: '1' }] },
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
    { serving: { timeout: '5s' } },
    { resources: { cpu: 2 } },
    { resources: { cpuLimit: 2 } },
    { gpu: { count: 1 } },
    { gpu: { count: 1, minMemory: '16Gi' } },
    { lifecycle: { startupTimeout: '90s' } },
    { runtime: { onnx: { threads: 2 } } },
    { pod: { nodeSelector: { disk: 'ssd' } } },
  ]
  const revisions = changes.map(revisionWith)
  assert.equal(new Set([plain, ...revisions]).size, changes.length + 1)
  assert.match(plain, /^[0-9a-f]{10}$/)
})

test('how many, how exposed and how it is told are none, nor is another way to write the same', () => {
  const same: Partial<Spec>[] = [
    { replicas: 7 },
    { autoscaling: { maxReplicas: 5, targets: { cpuPercent: 70 } } },
    { rollout: { surge: 'Swap' } },
    { expose: { hostnames: ['cats.example.com'] } },
    { paused: true },
    { serving: { timeout: '10s' } },
    { serving: { timeout: '10000ms' } },
    { resources: { cpu: '1000m' } },
    { pod: {} },
  ]
  for (const spec of same) assert.equal(revisionWith(spec), plain, JSON.stringify(spec))
  const labelled = { ...sealedDocument(), metadata: { name: 'cats', labels: { team: 'a' } } }
  assert.equal(clusterRevisionOf(resolveClusterService(labelled)), plain)
  const [a, b] = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ]
  assert.notEqual(revisionWith({ env: [a, b] }), revisionWith({ env: [b, a] }), 'values may refer to those before them')
})

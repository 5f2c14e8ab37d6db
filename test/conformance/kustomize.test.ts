import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments, stringify } from 'yaml'
import { mergeOverlay } from '../../src/spec/source/overlay.ts'
import { plainValue } from '../../src/spec/source/positioned-node.ts'
import { parseYamlSource } from '../../src/spec/source/yaml-source.ts'
import { requirePeer } from '../kit/peer.ts'

const header = { apiVersion: 'towline.dev/v1alpha1', kind: 'ModelService' }
const base = {
  model: { uri: './model', format: 'onnx', auth: { secretRef: { name: 's3' } } },
  env: [
    { name: 'A', value: 'a' },
    { name: 'B', value: 'b' },
    { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
  ],
  resources: { cpu: 1, memory: '1Gi' },
  autoscaling: {
    maxReplicas: 4,
    targets: { cpuPercent: 70, queuedRows: 8 },
    prometheus: [{ name: 'jobs', query: 'sum(jobs)', perReplica: 10 }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
  },
  rollout: {
    steps: [{ weight: 5 }, { weight: 50 }],
    smoke: ['./a.jpg', './b.jpg'],
    requires: [{ environment: 'staging', maxAge: '1h' }],
  },
  expose: { hostnames: ['a.example.com', 'b.example.com'], gatewayRef: { name: 'public', namespace: 'edge' } },
  pod: {
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'gpu' }, { key: 'spot' }],
    imagePullSecrets: [{ name: 'one' }],
    volumes: [{ name: 'v', emptyDir: {} }],
    mounts: [{ name: 'v', mountPath: '/v' }],
  },
  observability: { payloads: { samplePercent: 1, sink: 's3://p', retention: '1h', redact: ['a', 'b'] } },
}

const overlays: Record<string, unknown> = {
  'a scalar is replaced': { resources: { cpu: 4 } },
  'a field is added': { replicas: 3 },
  'null deletes a field': { resources: { memory: null } },
  'null deletes a map': { autoscaling: null },
  'null deletes a list': { env: null },
  'null for what is not there changes nothing': { gpu: null, resources: { cpuLimit: null } },
  'null inside an added map is dropped': { gpu: { count: 1, mig: null } },
  'an empty map changes nothing': { resources: {} },
  'an item of env is changed by its name': { env: [{ name: 'B', value: 'other' }] },
  'an item of env is added': { env: [{ name: 'D', value: 'd' }] },
  'items of env are changed and added in any order': {
    env: [
      { name: 'E', value: 'e' },
      { name: 'C', value: 'plain', valueFrom: null },
      { name: 'D', value: 'd' },
      { name: 'A', value: 'z' },
    ],
  },
  'an item of env is deleted': { env: [{ name: 'B', $patch: 'delete' }] },
  'deleting an item that is not there changes nothing': { env: [{ name: 'Z', $patch: 'delete' }] },
  'all of env is replaced': { env: [{ $patch: 'replace' }, { name: 'Z', value: 'z' }] },
  'replacing env may stand anywhere in the list': { env: [{ name: 'Z', value: 'z' }, { $patch: 'replace' }] },
  'replacing env drops nulls': { env: [{ name: 'Z', value: 'z', valueFrom: null }, { $patch: 'replace' }] },
  'a reference is merged field by field': { expose: { gatewayRef: { name: 'other' } } },
  'one item is replaced as a whole': { env: [{ name: 'C', value: 'c', $patch: 'merge' }] },
  'nulls inside items of an atomic list': { pod: { tolerations: [{ key: 'other', operator: null }] } },
  'a map with nothing but a null is added': { gpu: { count: null } },
  'two levels of a map are added': { serving: { batching: { mode: 'Fixed', maxRows: 8, maxDelay: '5ms' } } },
  'a granular map merges': { autoscaling: { targets: { concurrency: 4, cpuPercent: null } } },
  'a map is replaced on request': { autoscaling: { targets: { $patch: 'replace', concurrency: 4 } } },
  'a map is deleted on request': { pod: { $patch: 'delete' } },
  'prometheus merges by name': {
    autoscaling: {
      prometheus: [
        { name: 'jobs', perReplica: 20 },
        { name: 'other', query: 'q', perReplica: 1 },
      ],
    },
  },
  'steps are atomic': { rollout: { steps: [{ weight: 25 }] } },
  'smoke is replaced': { rollout: { smoke: ['./c.jpg'] } },
  'requires merges by environment': {
    rollout: { requires: [{ environment: 'staging', maxAge: '2h' }, { environment: 'canary' }] },
  },
  'hostnames are a set': { expose: { hostnames: ['c.example.com', 'a.example.com'] } },
  'two hostnames are added': { expose: { hostnames: ['d.example.com', 'c.example.com'] } },
  'a hostname that is there moves to the front': { expose: { hostnames: ['b.example.com', 'c.example.com'] } },
  'all hostnames are deleted': { expose: { hostnames: null } },
  'a reference is given in full': { expose: { gatewayRef: { name: 'other', namespace: 'inner' } } },
  'tolerations are atomic': { pod: { tolerations: [{ key: 'other' }] } },
  'volumes and mounts merge by name and by path': {
    pod: {
      volumes: [
        { name: 'w', emptyDir: {} },
        { name: 'v', emptyDir: { medium: 'Memory' } },
      ],
      mounts: [
        { name: 'w', mountPath: '/w' },
        { name: 'v', mountPath: '/v', readOnly: true },
      ],
    },
  },
  'pull secrets merge by name': { pod: { imagePullSecrets: [{ name: 'two' }, { name: 'one' }] } },
  'redact is atomic': { observability: { payloads: { redact: ['c'] } } },
  'a list is emptied': { observability: { payloads: { redact: [] } } },
  'a list with a key stays when the overlay has none of its items': { env: [] },
  'a scalar becomes a map': { resources: { cpu: '2', memory: '2Gi' }, runtime: { onnx: { threads: 2 } } },
}

test('an overlay gives the same document as Kustomize, for maps, lists, sets and deletions', async (context) => {
  const program = requirePeer(context, 'kubectl') ?? requirePeer(context, 'kustomize')
  if (program === undefined) return
  const folder = mkdtempSync(join(tmpdir(), 'towline-kustomize-'))
  try {
    copyFileSync(join(import.meta.dirname, '../../schemas/kustomize-openapi.json'), join(folder, 'openapi.json'))
    const names = Object.keys(overlays)
    // One kustomization for each case, and one over them all: the program is started once.
    for (const [index, name] of names.entries()) writeCase(join(folder, `case-${index}`), index, overlays[name])
    const resources = names.map((_, index) => `case-${index}`)
    writeFileSync(join(folder, 'kustomization.yaml'), stringify({ resources }))
    const verb = program.endsWith('kubectl') ? 'kustomize' : 'build'
    const { stdout, stderr, status } = spawnSync(program, [verb, folder], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const theirs = new Map(
      parseAllDocuments(stdout).map((document): [string, unknown] => {
        const value: { metadata: { name: string } } = document.toJS()
        return [value.metadata.name, value]
      }),
    )
    assert.equal(theirs.size, names.length)
    for (const [index, name] of names.entries()) {
      await context.test(name, async () => {
        assert.deepEqual(await mergeOurs(index, overlays[name]), theirs.get(`case-${index}`))
      })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function documents(index: number, overlay: unknown): { readonly base: string; readonly overlay: string } {
  const metadata = { name: `case-${index}` }
  return {
    base: stringify({ ...header, metadata, spec: base }),
    overlay: stringify({ ...header, metadata, spec: overlay }),
  }
}

function writeCase(folder: string, index: number, overlay: unknown): void {
  const texts = documents(index, overlay)
  mkdirSync(folder)
  writeFileSync(join(folder, 'towline.yaml'), texts.base)
  writeFileSync(join(folder, 'towline.production.yaml'), texts.overlay)
  copyFileSync(join(folder, '../openapi.json'), join(folder, 'openapi.json'))
  writeFileSync(
    join(folder, 'kustomization.yaml'),
    stringify({
      resources: ['towline.yaml'],
      patches: [{ path: 'towline.production.yaml' }],
      openapi: { path: 'openapi.json' },
    }),
  )
}

async function mergeOurs(index: number, overlay: unknown): Promise<unknown> {
  const texts = documents(index, overlay)
  const [low, high] = await Promise.all([
    parseYamlSource('towline.yaml', Buffer.from(texts.base)),
    parseYamlSource('towline.production.yaml', Buffer.from(texts.overlay)),
  ])
  assert.ok(low.root !== undefined && high.root !== undefined)
  const merged = mergeOverlay(low.root, high.root)
  assert.deepEqual(merged.diagnostics, [])
  return plainValue(merged.root)
}

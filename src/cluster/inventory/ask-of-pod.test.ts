import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { askOfPod } from './ask-of-pod.ts'

const containers = [{ name: 'server', resources: { requests: { cpu: '1' } } }]
const term = { matchExpressions: [{ key: 'zone', operator: 'Exists' }] }

test('what the scheduler looks at is asked for', () => {
  const toleration = { key: 'k', operator: 'Exists' }
  const spec: PodSpec = {
    containers,
    nodeSelector: { disk: 'ssd' },
    tolerations: [toleration],
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  }
  assert.deepEqual(askOfPod(spec), {
    requests: { cpu: 1000, pods: 1 },
    limits: {},
    nodeSelector: { disk: 'ssd' },
    nodeTerms: [term],
    tolerations: [toleration],
    unchecked: [],
  })
})

test('a runtime class adds its own, and one that is not there is a refusal', () => {
  const nvidia = {
    metadata: { name: 'nvidia' },
    handler: 'nvidia',
    overhead: { podFixed: { cpu: '100m' } },
    scheduling: { nodeSelector: { gpu: 'yes' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
  }
  const spec: PodSpec = { containers, runtimeClassName: 'nvidia' }
  const ask = askOfPod(spec, { runtimeClasses: [nvidia] })
  assert.deepEqual(
    [ask.requests['cpu'], ask.nodeSelector, ask.tolerations, ask.refusal],
    [1100, { gpu: 'yes' }, [{ key: 'gpu', operator: 'Exists' }], undefined],
  )
  assert.equal(askOfPod(spec, { runtimeClasses: [] }).refusal, 'there is no RuntimeClass `nvidia`')
  // Where classes may not be seen nothing is said against it.
  assert.equal(askOfPod(spec).refusal, undefined)
})

test('rules that must be met and are not counted are named, wishes are not', () => {
  const spread = (whenUnsatisfiable: string) => [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable }]
  assert.deepEqual(askOfPod({ containers, topologySpreadConstraints: spread('ScheduleAnyway') }).unchecked, [])
  const spec: PodSpec = {
    containers: [{ name: 'server', ports: [{ containerPort: 1, hostPort: 1 }] }],
    topologySpreadConstraints: spread('DoNotSchedule'),
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'v' } }],
    resourceClaims: [],
  }
  assert.deepEqual(askOfPod(spec).unchecked, [
    'podAntiAffinity',
    'topologySpreadConstraints',
    'hostPort',
    'persistentVolumeClaim',
    'resourceClaims',
  ])
})

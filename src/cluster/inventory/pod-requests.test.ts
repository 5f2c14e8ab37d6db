import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container } from 'kubernetes-types/core/v1.js'
import { amountsOfPod, toAmounts } from './pod-requests.ts'

const mebibyte = 1024 ** 2
const container = (requests: Record<string, string>, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests },
  ...more,
})

test('CPU is counted in thousandths of a core, everything else in whole units, a started one counted', () => {
  assert.deepEqual(
    toAmounts({
      cpu: '1.5',
      'requests.cpu': '250m',
      memory: '1Gi',
      'nvidia.com/gpu': '2',
      pods: 110,
      odd: 'much',
      'limits.memory': '0.5',
    }),
    {
      cpu: 1500,
      'requests.cpu': 250,
      memory: 1024 * mebibyte,
      'nvidia.com/gpu': 2,
      pods: 110,
      odd: 0,
      'limits.memory': 1,
    },
  )
})

test('containers run together: their requests add up, and the pod is one of the pods of its node', () => {
  const containers = [container({ cpu: '1', memory: '1Mi' }), container({ cpu: '500m', 'nvidia.com/gpu': '1' })]
  assert.deepEqual(amountsOfPod({ containers }).requests, { cpu: 1500, memory: mebibyte, 'nvidia.com/gpu': 1, pods: 1 })
})

test('a limit without a request is a request, a request without a limit is no limit', () => {
  const containers = [
    { name: 'c', resources: { limits: { 'nvidia.com/gpu': '2', cpu: '4' }, requests: { cpu: '1', memory: '1Mi' } } },
  ]
  assert.deepEqual(amountsOfPod({ containers }), {
    requests: { 'nvidia.com/gpu': 2, cpu: 1000, memory: mebibyte, pods: 1 },
    limits: { 'nvidia.com/gpu': 2, cpu: 4000 },
  })
})

test('the start takes what its largest step takes, sidecars stay beside all that comes after them', () => {
  const sidecar = container({ cpu: '100m' }, { restartPolicy: 'Always' })
  const containers = [container({ cpu: '1' })]
  for (const [initContainers, cpu] of [
    [[container({ cpu: '3' })], 3000],
    [[container({ cpu: '500m' })], 1000],
    [[sidecar], 1100],
    [[sidecar, container({ cpu: '2' })], 2100],
    [[container({ cpu: '2' }), sidecar], 2000],
  ] as const)
    assert.equal(amountsOfPod({ containers, initContainers: [...initContainers] }).requests['cpu'], cpu)
})

test("a pod's own amounts stand above its containers', and a runtime's overhead comes on top", () => {
  const spec = {
    containers: [container({ cpu: '1', memory: '1Mi' })],
    resources: { requests: { cpu: '2' } },
    overhead: { cpu: '250m' },
  }
  assert.deepEqual(amountsOfPod(spec).requests, { cpu: 2250, memory: mebibyte, pods: 1 })
})

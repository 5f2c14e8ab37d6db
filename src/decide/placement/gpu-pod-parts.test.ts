import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GpuRequest } from '../../spec/cluster-service.ts'
import { gpuPodParts } from './gpu-pod-parts.ts'

const parts = (request: Partial<GpuRequest>, cudaVersion?: string) =>
  gpuPodParts({ count: 1, sharing: 'Exclusive', ...request }, cudaVersion)
const exclusive = { key: 'nvidia.com/gpu.sharing-strategy', operator: 'NotIn', values: ['time-slicing', 'mps'] }
const gibibyte = 1024 ** 3

test('one device: no other tenant on it, and its taint is no obstacle', () => {
  assert.deepEqual(parts({}), {
    resources: { 'nvidia.com/gpu': '1' },
    nodeSelectorTerms: [{ matchExpressions: [exclusive] }],
    tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
  })
})

test('memory compares as written, in MiB, and a started one counts', () => {
  for (const [minMemoryBytes, value] of [
    [16 * gibibyte, '16383'],
    [16 * gibibyte + 1, '16384'],
    [16e9, '15258'],
  ] as const)
    assert.deepEqual(parts({ minMemoryBytes }).nodeSelectorTerms, [
      { matchExpressions: [{ key: 'nvidia.com/gpu.memory', operator: 'Gt', values: [value] }, exclusive] },
    ])
})

test('a compute capability is two alternatives, each with all the rest; of a .0 it is one', () => {
  const minMemoryBytes = gibibyte
  const memory = { key: 'nvidia.com/gpu.memory', operator: 'Gt', values: ['1023'] }
  assert.deepEqual(parts({ minMemoryBytes, minComputeCapability: { major: 8, minor: 6 } }).nodeSelectorTerms, [
    { matchExpressions: [memory, exclusive, { key: 'nvidia.com/gpu.compute.major', operator: 'Gt', values: ['8'] }] },
    {
      matchExpressions: [
        memory,
        exclusive,
        { key: 'nvidia.com/gpu.compute.major', operator: 'In', values: ['8'] },
        { key: 'nvidia.com/gpu.compute.minor', operator: 'Gt', values: ['5'] },
      ],
    },
  ])
  assert.deepEqual(parts({ minComputeCapability: { major: 8, minor: 0 } }).nodeSelectorTerms, [
    { matchExpressions: [exclusive, { key: 'nvidia.com/gpu.compute.major', operator: 'Gt', values: ['7'] }] },
  ])
})

test('a slice is asked for by its profile, and its labels stand under the same name', () => {
  const { resources, nodeSelectorTerms, tolerations } = parts({ mig: '1g.10gb+me', minMemoryBytes: gibibyte })
  assert.deepEqual(resources, { 'nvidia.com/mig-1g.10gb.me': '1' })
  assert.deepEqual(nodeSelectorTerms, [
    {
      matchExpressions: [
        { key: 'nvidia.com/mig-1g.10gb.me.memory', operator: 'Gt', values: ['1023'] },
        { ...exclusive, key: 'nvidia.com/mig-1g.10gb.me.sharing-strategy' },
      ],
    },
  ])
  assert.equal(tolerations[0]?.key, 'nvidia.com/gpu')
})

test('shared means shared: no whole device is taken, and a renamed resource has the labels of the device', () => {
  const shared = { ...exclusive, operator: 'In' }
  assert.deepEqual(parts({ sharing: 'Shared' }).nodeSelectorTerms, [{ matchExpressions: [shared] }])
  const renamed = parts({ sharing: 'Shared', resourceName: 'nvidia.com/gpu.shared' })
  assert.deepEqual(renamed.resources, { 'nvidia.com/gpu.shared': '1' })
  assert.deepEqual(renamed.nodeSelectorTerms, [{ matchExpressions: [shared] }])
})

test('several devices: no slices, and memory through which their processes talk', () => {
  const { nodeSelectorTerms, sharedMemoryBytes } = parts({ count: 2 })
  assert.deepEqual(nodeSelectorTerms, [
    { matchExpressions: [exclusive, { key: 'nvidia.com/gpu.slices.gi', operator: 'DoesNotExist' }] },
  ])
  assert.equal(sharedMemoryBytes, gibibyte)
  assert.equal(parts({ count: 1 }).sharedMemoryBytes, undefined)
})

test("another vendor's resource: nothing is said about NVIDIA's labels, and its own taint is tolerated", () => {
  assert.deepEqual(parts({ resourceName: 'amd.com/gpu' }), {
    resources: { 'amd.com/gpu': '1' },
    nodeSelectorTerms: [],
    tolerations: [{ key: 'amd.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
  })
})

test("the image's CUDA keeps away from drivers of earlier generations; of an unknown CUDA nothing is asked", () => {
  assert.deepEqual(parts({}, '13.0').nodeSelectorTerms, [
    {
      matchExpressions: [exclusive, { key: 'nvidia.com/cuda.driver-version.major', operator: 'Gt', values: ['579'] }],
    },
  ])
  assert.deepEqual(parts({}, '10.2').nodeSelectorTerms, parts({}).nodeSelectorTerms)
})

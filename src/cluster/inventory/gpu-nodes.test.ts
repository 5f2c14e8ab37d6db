import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cpuNode,
  gpuAsk,
  gpuNode,
  migMixedNode,
  migSingleNode,
  podOf,
  sharedNode,
} from '../../../test/kit/gpu-nodes.ts'
import { listGpuNodes } from './gpu-nodes.ts'

test('nodes with devices are listed by name, with who holds what', () => {
  const pods = [
    podOf(gpuAsk({ count: 1 }), { node: 'b', name: 'small' }),
    podOf(gpuAsk({ count: 4 }), { node: 'b', name: 'large', isTerminating: true }),
    podOf(gpuAsk({ count: 2 }), { name: 'waits' }),
  ]
  const nodes = listGpuNodes({
    nodes: [gpuNode('b', 'a100', 8), cpuNode('cpu'), gpuNode('a', 't4', 1)],
    pods,
    unseen: [],
  })
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['a', 'b'],
  )
  assert.deepEqual(nodes[1]?.devices, [
    {
      resource: 'nvidia.com/gpu',
      product: 'NVIDIA-A100-SXM4-80GB',
      memoryMiB: 81920,
      sharing: 'none',
      replicas: 1,
      slice: null,
      count: 8,
      free: 3,
      holders: [
        { namespace: 'ml', pod: 'large', count: 4, isTerminating: true },
        { namespace: 'ml', pod: 'small', count: 1, isTerminating: false },
      ],
    },
  ])
})

test('slices and shared devices are told apart from whole ones, by either name', () => {
  const nodes = listGpuNodes({
    nodes: [
      migSingleNode('a-single', '1g.10gb', 9728, 7),
      migMixedNode('b-mixed', 1, { '3g.40gb': { count: 2, memoryMiB: 40192 } }),
      sharedNode('c-sliced', 'time-slicing', 4),
      sharedNode('d-renamed', 'mps', 3, true),
    ],
    pods: [],
    unseen: [],
  })
  assert.deepEqual(
    nodes.flatMap(({ devices }) =>
      devices.map(({ resource, slice, memoryMiB, sharing, replicas, count }) => [
        resource,
        slice,
        memoryMiB,
        sharing,
        replicas,
        count,
      ]),
    ),
    [
      ['nvidia.com/gpu', '1g.10gb', 9728, 'none', 1, 7],
      ['nvidia.com/gpu', null, 81920, 'none', 1, 1],
      ['nvidia.com/mig-3g.40gb', '3g.40gb', 40192, 'none', 1, 2],
      ['nvidia.com/gpu', null, 23028, 'time-slicing', 4, 4],
      ['nvidia.com/gpu.shared', null, 23028, 'mps', 3, 3],
    ],
  )
})

test('a node whose labels promise devices that no plugin offers is listed with none', () => {
  const [node] = listGpuNodes({ nodes: [gpuNode('a', 't4', 2, { devices: {} })], pods: [], unseen: [] })
  assert.deepEqual(
    node?.devices.map(({ resource, count }) => [resource, count]),
    [['nvidia.com/gpu', 0]],
  )
})

test('where not all pods may be seen nothing is said about what is free', () => {
  const [node] = listGpuNodes({ nodes: [gpuNode('a', 't4', 2)], pods: [], unseen: ['pods of other namespaces'] })
  assert.equal(node?.devices[0]?.free, null)
})

test("other vendors' devices are devices, and what else a plugin offers is none", () => {
  const nodes = ['amd.com/gpu', 'gpu.intel.com/i915', 'rdma/hca'].map((resource, index) =>
    cpuNode(`n${index}`, { devices: { [resource]: 1 } }),
  )
  assert.deepEqual(
    listGpuNodes({ nodes, pods: [], unseen: [] }).map(({ devices }) => devices[0]?.resource),
    ['amd.com/gpu', 'gpu.intel.com/i915'],
  )
})

test('labels that feature discovery wrote for a real H200 are read whole, also while it is shared', () => {
  const recorded = {
    'nvidia.com/cuda.driver-version.full': '580.159.04',
    'nvidia.com/cuda.driver-version.major': '580',
    'nvidia.com/cuda.runtime-version.full': '13.0',
    'nvidia.com/gpu.compute.major': '9',
    'nvidia.com/gpu.compute.minor': '0',
    'nvidia.com/gpu.count': '1',
    'nvidia.com/gpu.family': 'hopper',
    'nvidia.com/gpu.machine': 'unknown',
    'nvidia.com/gpu.memory': '143771',
    'nvidia.com/gpu.mode': 'compute',
    'nvidia.com/gpu.product': 'NVIDIA-H200',
    'nvidia.com/gpu.replicas': '1',
    'nvidia.com/gpu.sharing-strategy': 'none',
    'nvidia.com/mig.capable': 'true',
    'nvidia.com/mps.capable': 'false',
    'nvidia.com/vgpu.present': 'false',
  }
  const shared = {
    ...recorded,
    'nvidia.com/gpu.product': 'NVIDIA-H200-SHARED',
    'nvidia.com/gpu.replicas': '4',
    'nvidia.com/gpu.sharing-strategy': 'time-slicing',
  }
  const nodes = listGpuNodes({
    nodes: [
      cpuNode('shared', { devices: { 'nvidia.com/gpu': 4 }, labels: shared }),
      cpuNode('whole', { devices: { 'nvidia.com/gpu': 1 }, labels: recorded }),
    ],
    pods: [],
    unseen: [],
  })
  const device = { resource: 'nvidia.com/gpu', memoryMiB: 143771, slice: null, holders: [] }
  assert.deepEqual(
    nodes.map(({ driver, cuda, migStrategy, devices }) => ({ driver, cuda, migStrategy, devices })),
    [
      { product: 'NVIDIA-H200-SHARED', sharing: 'time-slicing', replicas: 4, count: 4, free: 4 },
      { product: 'NVIDIA-H200', sharing: 'none', replicas: 1, count: 1, free: 1 },
    ].map((each) => ({ driver: '580.159.04', cuda: '13.0', migStrategy: null, devices: [{ ...device, ...each }] })),
  )
})

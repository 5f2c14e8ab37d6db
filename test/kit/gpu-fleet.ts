import type { Toleration } from 'kubernetes-types/core/v1.js'
import type { NodeFacts } from '../../src/decide/placement/facts.ts'
import type { GpuRequest } from '../../src/spec/cluster-service.ts'
import { cpuNode, gpuNode, migMixedNode, migSingleNode, sharedNode } from './gpu-nodes.ts'

const gibibyte = 1024 ** 3

/** A node of every kind. */
export function gpuFleet(): NodeFacts[] {
  const cloudTaint = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }
  return [
    cpuNode('cpu'),
    gpuNode('t4', 't4', 2),
    gpuNode('a100', 'a100', 4),
    gpuNode('h100', 'h100', 1, { driver: '535.183.01' }),
    // A device plugin without feature discovery.
    cpuNode('bare', { devices: { 'nvidia.com/gpu': 1 } }),
    gpuNode('closed', 'a10', 2, { isCordoned: true }),
    gpuNode('dedicated', 'a10', 2, { taints: [{ key: 'dedicated', value: 'research', effect: 'NoSchedule' }] }),
    gpuNode('cloud', 'a10', 2, { taints: [{ key: 'spot', effect: 'PreferNoSchedule' }, cloudTaint] }),
    migSingleNode('single', '1g.10gb', 9728, 7),
    migMixedNode('mixed', 1, {
      '1g.10gb': { count: 2, memoryMiB: 9728 },
      '3g.40gb': { count: 1, memoryMiB: 40192 },
    }),
    sharedNode('slicing', 'time-slicing', 4),
    sharedNode('mps', 'mps', 3),
    sharedNode('renamed', 'time-slicing', 5, true),
  ]
}

interface FleetCase {
  readonly title: string
  readonly request: Partial<GpuRequest>
  readonly cudaVersion?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly Toleration[]
  /** Pods that each node takes, of those that take any. */
  readonly rooms: Readonly<Record<string, number>>
}

export const fleetCases: readonly FleetCase[] = [
  {
    title: 'any device: whole ones, slices of the strategy single, and none that is shared',
    request: {},
    rooms: { t4: 2, a100: 4, h100: 1, bare: 1, cloud: 2, single: 7, mixed: 1 },
  },
  {
    title: '16Gi of memory: a T4 has 15360 MiB, and a node without labels proves nothing',
    request: { minMemoryBytes: 16 * gibibyte },
    rooms: { a100: 4, h100: 1, cloud: 2, mixed: 1 },
  },
  {
    title: '16G of memory: as on the box of a T4',
    request: { minMemoryBytes: 16e9 },
    rooms: { t4: 2, a100: 4, h100: 1, cloud: 2, mixed: 1 },
  },
  {
    title: '9G of memory: a slice will do',
    request: { minMemoryBytes: 9e9 },
    rooms: { t4: 2, a100: 4, h100: 1, cloud: 2, single: 7, mixed: 1 },
  },
  {
    title: 'compute capability 8.0',
    request: { minComputeCapability: { major: 8, minor: 0 } },
    rooms: { a100: 4, h100: 1, cloud: 2, single: 7, mixed: 1 },
  },
  {
    title: 'compute capability 8.6: 9.0 is later, 8.0 is not, and 7.5 has the lower major',
    request: { minComputeCapability: { major: 8, minor: 6 } },
    rooms: { h100: 1, cloud: 2 },
  },
  {
    title: 'two devices: a process sees one slice only',
    request: { count: 2 },
    rooms: { t4: 1, a100: 2, cloud: 1 },
  },
  { title: 'a slice by its profile', request: { mig: '1g.10gb' }, rooms: { mixed: 2 } },
  {
    title: 'a slice by its profile, with the memory that it has',
    request: { mig: '3g.40gb', minMemoryBytes: 39 * gibibyte },
    rooms: { mixed: 1 },
  },
  {
    title: 'a slice by its profile, with memory that it has not',
    request: { mig: '1g.10gb', minMemoryBytes: 10 * gibibyte },
    rooms: {},
  },
  { title: 'shared', request: { sharing: 'Shared' }, rooms: { slicing: 4, mps: 3 } },
  {
    title: 'shared under a name of its own',
    request: { sharing: 'Shared', resourceName: 'nvidia.com/gpu.shared' },
    rooms: { renamed: 5 },
  },
  {
    title: 'shared, with more memory than the device has',
    request: { sharing: 'Shared', minMemoryBytes: 40 * gibibyte },
    rooms: {},
  },
  {
    title: 'with CUDA 13, which driver 535 cannot start',
    request: {},
    cudaVersion: '13.0',
    rooms: { t4: 2, a100: 4, cloud: 2, single: 7, mixed: 1 },
  },
  {
    title: 'with a toleration of everything, cordoned nodes too',
    request: { minMemoryBytes: 20e9 },
    tolerations: [{ operator: 'Exists' }],
    rooms: { a100: 4, h100: 1, closed: 2, dedicated: 2, cloud: 2, mixed: 1 },
  },
  {
    title: 'by a label of the node',
    request: {},
    nodeSelector: { 'kubernetes.io/hostname': 'a100' },
    rooms: { a100: 4 },
  },
]

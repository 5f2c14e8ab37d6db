import type { NodeSelectorRequirement, NodeSelectorTerm, Toleration } from 'kubernetes-types/core/v1.js'
import { majorFloorOf } from '../../compat/cuda.ts'
import type { GpuRequest } from '../../spec/cluster-service.ts'

/** What a pod has to say so that it gets its GPUs, and nothing else in the cluster loses one. */
export interface GpuPodParts {
  /** Extended resources are never overcommitted: requests and limits are the same. */
  readonly resources: Readonly<Record<string, string>>
  /** One of them has to fit; none: any node that has the resource. */
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[]
  readonly tolerations: readonly Toleration[]
  /** Size of `/dev/shm`, through which several devices of one process talk; absent: the runtime's 64 MiB. */
  readonly sharedMemoryBytes?: number
}

/** Labels of NVIDIA's GPU feature discovery that are about all devices of a node. */
export const gpuLabels = {
  major: 'nvidia.com/gpu.compute.major',
  minor: 'nvidia.com/gpu.compute.minor',
  product: 'nvidia.com/gpu.product',
  count: 'nvidia.com/gpu.count',
  replicas: 'nvidia.com/gpu.replicas',
  migStrategy: 'nvidia.com/mig.strategy',
  /** Only where `nvidia.com/gpu` is a slice (strategy `single`): a whole device has no such label. */
  slices: 'nvidia.com/gpu.slices.gi',
  driver: 'nvidia.com/cuda.driver-version.full',
  driverMajor: 'nvidia.com/cuda.driver-version.major',
  cuda: 'nvidia.com/cuda.runtime-version.full',
} as const

export const wholeGpu = 'nvidia.com/gpu'
const mebibyte = 1024 * 1024
const sharedStrategies = ['time-slicing', 'mps']

/** `nvidia.com/gpu.memory` in MiB, `nvidia.com/mig-1g.10gb.sharing-strategy`: what is said of one resource stands under its name. */
export function gpuLabel(resource: string, what: 'memory' | 'sharing-strategy'): string {
  return `${resource.replace(/\.shared$/, '')}.${what}`
}

/**
 * `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, or what the spec names. A pod can name one resource only, so a profile means the name of
 * the strategy `mixed`. Under `single` a slice is an `nvidia.com/gpu` with less memory, and who asks for one device with enough of it
 * gets one: a slice has its memory, its share and its faults for itself.
 */
export function gpuResourceName({ mig, resourceName }: GpuRequest): string {
  if (resourceName !== undefined) return resourceName
  return mig === undefined ? wholeGpu : `nvidia.com/mig-${mig.replace('+', '.')}`
}

/**
 * By what a device can do, never by its product's name: a new card that is good enough fits at once. Where labels are missing nothing
 * that was asked for can be proven, and such a node does not fit. Memory compares as written: a card sold with 16 GB has 15360 MiB,
 * which is enough for `16G` and less than `16Gi`.
 *
 * @param cudaVersion of the image, as `12.4`, where it brings one. Nodes with a driver of an earlier generation are then left out;
 *   within a generation labels cannot be compared, and `planPlacement` looks at all of the version.
 */
export function gpuPodParts(request: GpuRequest, cudaVersion?: string): GpuPodParts {
  const name = gpuResourceName(request)
  return {
    resources: { [name]: String(request.count) },
    nodeSelectorTerms: selectNodes(request, name, cudaVersion),
    // Clouds and people keep other pods off such nodes by a taint of the resource's name; slices are under the name of the device.
    tolerations: [{ key: isNvidia(name) ? wholeGpu : name, operator: 'Exists', effect: 'NoSchedule' }],
    ...(request.count > 1 && request.mig === undefined ? { sharedMemoryBytes: 1024 * mebibyte } : {}),
  }
}

function selectNodes(request: GpuRequest, name: string, cudaVersion: string | undefined): NodeSelectorTerm[] {
  const common = [
    ...selectMemory(request, name),
    ...selectSharing(request, name),
    ...selectWhole(request, name),
    ...selectDriver(cudaVersion),
  ]
  const capabilities = selectCapability(request)
  if (capabilities.length > 0) return capabilities.map((each) => ({ matchExpressions: [...common, ...each] }))
  return common.length === 0 ? [] : [{ matchExpressions: common }]
}

function selectMemory({ minMemoryBytes }: GpuRequest, name: string): NodeSelectorRequirement[] {
  if (minMemoryBytes === undefined) return []
  const leastMiB = Math.ceil(minMemoryBytes / mebibyte)
  return [{ key: gpuLabel(name, 'memory'), operator: 'Gt', values: [String(leastMiB - 1)] }]
}

/** A device that others use at the same time isolates neither memory nor faults. Who asks for a shared one takes no whole one. */
function selectSharing({ sharing }: GpuRequest, name: string): NodeSelectorRequirement[] {
  if (!isNvidia(name)) return []
  const operator = sharing === 'Shared' ? 'In' : 'NotIn'
  return [{ key: gpuLabel(name, 'sharing-strategy'), operator, values: sharedStrategies }]
}

/** CUDA shows a process one slice and no more: several of them would be paid for and lie idle. */
function selectWhole({ count }: GpuRequest, name: string): NodeSelectorRequirement[] {
  return count > 1 && name === wholeGpu ? [{ key: gpuLabels.slices, operator: 'DoesNotExist' }] : []
}

function selectDriver(cudaVersion: string | undefined): NodeSelectorRequirement[] {
  const floor = cudaVersion === undefined ? undefined : majorFloorOf(cudaVersion)
  if (floor === undefined) return []
  return [{ key: gpuLabels.driverMajor, operator: 'Gt', values: [String(Number(floor.split('.')[0]) - 1)] }]
}

/** At least M.m is: of a later major version, or of the same one and at least of that minor. */
function selectCapability({ minComputeCapability }: GpuRequest): NodeSelectorRequirement[][] {
  if (minComputeCapability === undefined) return []
  const { major, minor } = minComputeCapability
  if (minor === 0) return [[{ key: gpuLabels.major, operator: 'Gt', values: [String(major - 1)] }]]
  return [
    [{ key: gpuLabels.major, operator: 'Gt', values: [String(major)] }],
    [
      { key: gpuLabels.major, operator: 'In', values: [String(major)] },
      { key: gpuLabels.minor, operator: 'Gt', values: [String(minor - 1)] },
    ],
  ]
}

function isNvidia(name: string): boolean {
  return name.startsWith('nvidia.com/')
}

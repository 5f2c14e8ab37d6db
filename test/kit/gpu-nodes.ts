import type { Node } from 'kubernetes-types/core/v1.js'
import type { Amounts, NodeFacts, PodAsk, PodFacts, Taint } from '../../src/decide/placement/facts.ts'
import { gpuPodParts } from '../../src/decide/placement/gpu-pod-parts.ts'
import type { GpuRequest } from '../../src/spec/cluster-service.ts'

/** Nodes as NVIDIA's device plugin and GPU feature discovery make them, each as facts and as an object of Kubernetes. */

const gibibyte = 1024 ** 3

interface Card {
  readonly product: string
  readonly memoryMiB: number
  readonly capability: readonly [number, number]
}

const cards = {
  t4: { product: 'Tesla-T4', memoryMiB: 15360, capability: [7, 5] },
  l4: { product: 'NVIDIA-L4', memoryMiB: 23034, capability: [8, 9] },
  a10: { product: 'NVIDIA-A10', memoryMiB: 23028, capability: [8, 6] },
  a100: { product: 'NVIDIA-A100-SXM4-80GB', memoryMiB: 81920, capability: [8, 0] },
  h100: { product: 'NVIDIA-H100-80GB-HBM3', memoryMiB: 81559, capability: [9, 0] },
} as const satisfies Record<string, Card>

export interface NodeWish {
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly devices?: Amounts
  readonly cpuCores?: number
  readonly memoryGiB?: number
  readonly pods?: number
  readonly isCordoned?: boolean
  readonly isReady?: boolean
}

export function cpuNode(name: string, wish: NodeWish = {}): NodeFacts {
  const { labels = {}, taints = [], devices = {}, cpuCores = 32, memoryGiB = 128, pods = 110 } = wish
  return {
    name,
    labels: { 'kubernetes.io/hostname': name, ...labels },
    taints,
    isReady: wish.isReady ?? true,
    isCordoned: wish.isCordoned ?? false,
    allocatable: { cpu: cpuCores * 1000, memory: memoryGiB * gibibyte, pods, ...devices },
  }
}

/** Whole devices. `driver` with all its parts. */
export function gpuNode(
  name: string,
  card: keyof typeof cards,
  count: number,
  { driver = '580.65.06', ...wish }: NodeWish & { readonly driver?: string } = {},
): NodeFacts {
  return cpuNode(name, {
    ...wish,
    devices: wish.devices ?? { 'nvidia.com/gpu': count },
    labels: {
      ...labelDevices('nvidia.com/gpu', cards[card], count),
      'nvidia.com/gpu.compute.major': String(cards[card].capability[0]),
      'nvidia.com/gpu.compute.minor': String(cards[card].capability[1]),
      'nvidia.com/cuda.driver-version.full': driver,
      'nvidia.com/cuda.driver-version.major': driver.split('.')[0] ?? '',
      ...wish.labels,
    },
  })
}

function labelDevices(resource: string, { product, memoryMiB }: Omit<Card, 'capability'>, count: number) {
  return {
    [`${resource}.product`]: product,
    [`${resource}.memory`]: String(memoryMiB),
    [`${resource}.count`]: String(count),
    [`${resource}.replicas`]: '1',
    [`${resource}.sharing-strategy`]: 'none',
  }
}

/** Every device cut into the same slices, which are called `nvidia.com/gpu`. */
export function migSingleNode(name: string, profile: string, memoryMiB: number, slices: number): NodeFacts {
  return gpuNode(name, 'a100', slices, {
    labels: {
      ...labelDevices('nvidia.com/gpu', { product: `NVIDIA-A100-SXM4-80GB-MIG-${profile}`, memoryMiB }, slices),
      'nvidia.com/gpu.slices.gi': profile.slice(0, 1),
      'nvidia.com/mig.strategy': 'single',
    },
  })
}

/** Slices under names of their own, beside whole devices. */
export function migMixedNode(
  name: string,
  whole: number,
  slices: Readonly<Record<string, { readonly count: number; readonly memoryMiB: number }>>,
): NodeFacts {
  const cut = Object.entries(slices)
  return gpuNode(name, 'a100', whole, {
    devices: {
      'nvidia.com/gpu': whole,
      ...Object.fromEntries(cut.map(([profile, { count }]) => [`nvidia.com/mig-${profile}`, count])),
    },
    labels: {
      'nvidia.com/mig.strategy': 'mixed',
      ...Object.assign(
        {},
        ...cut.map(([profile, { count, memoryMiB }]) =>
          labelDevices(
            `nvidia.com/mig-${profile}`,
            { product: `NVIDIA-A100-SXM4-80GB-MIG-${profile}`, memoryMiB },
            count,
          ),
        ),
      ),
    },
  })
}

/** Each device stands for `replicas`; `isRenamed`: under `nvidia.com/gpu.shared`. */
export function sharedNode(
  name: string,
  strategy: 'time-slicing' | 'mps',
  replicas: number,
  isRenamed = false,
): NodeFacts {
  const resource = isRenamed ? 'nvidia.com/gpu.shared' : 'nvidia.com/gpu'
  return gpuNode(name, 'a10', 1, {
    devices: { [resource]: replicas },
    labels: {
      'nvidia.com/gpu.product': isRenamed ? 'NVIDIA-A10' : 'NVIDIA-A10-SHARED',
      'nvidia.com/gpu.replicas': String(replicas),
      'nvidia.com/gpu.sharing-strategy': strategy,
    },
  })
}

/** One pod of a service with these devices. */
export function gpuAsk(request: Partial<GpuRequest> = {}, { cudaVersion, ...change }: Partial<PodAsk> = {}): PodAsk {
  const parts = gpuPodParts({ count: 1, sharing: 'Exclusive', ...request }, cudaVersion)
  const devices = Object.fromEntries(Object.entries(parts.resources).map(([name, count]) => [name, Number(count)]))
  return {
    requests: { cpu: 1000, memory: gibibyte, pods: 1, ...devices },
    limits: { memory: gibibyte, ...devices },
    nodeSelector: {},
    nodeTerms: parts.nodeSelectorTerms,
    tolerations: parts.tolerations,
    unchecked: [],
    ...(cudaVersion === undefined ? {} : { cudaVersion }),
    ...change,
  }
}

/** A pod that holds what `ask` asks for. */
export function podOf(ask: Pick<PodAsk, 'requests' | 'limits'>, change: Partial<PodFacts> = {}): PodFacts {
  const { requests, limits } = ask
  return { namespace: 'ml', name: 'train', requests, limits, isTerminating: false, ...change }
}

/** For the API server. A fake node needs nothing else; the taints of its state come from Kubernetes. */
export function nodeObject({ name, labels, taints, allocatable, isCordoned }: NodeFacts): Node {
  const amounts = Object.fromEntries(
    Object.entries(allocatable).map(([resource, amount]) => [
      resource,
      resource === 'cpu' ? `${amount}m` : String(amount),
    ]),
  )
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { ...labels, type: 'kwok' }, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
    spec: { taints: taints.map((taint) => ({ ...taint })), unschedulable: isCordoned },
    status: { allocatable: amounts, capacity: amounts, phase: 'Running' },
  }
}

import type { NodeFacts, PodFacts } from '../../decide/placement/facts.ts'
import { gpuLabel, gpuLabels, wholeGpu } from '../../decide/placement/gpu-pod-parts.ts'
import { describeTaint } from '../../decide/placement/placement-words.ts'
import type { Inventory } from './read-inventory.ts'

/** A node with devices, as a person looks at it. Null: no label says. */
export interface GpuNode {
  readonly name: string
  readonly devices: readonly NodeDevices[]
  /** All its parts, as `580.65.06`. */
  readonly driver: string | null
  /** The latest CUDA that this driver knows, as `13.0`. */
  readonly cuda: string | null
  readonly migStrategy: string | null
  /** `key=value:effect` */
  readonly taints: readonly string[]
  readonly isReady: boolean
  readonly isCordoned: boolean
}

/** Devices, or slices of devices, under one name of a resource. */
export interface NodeDevices {
  readonly resource: string
  readonly product: string | null
  /** Of each, in MiB. */
  readonly memoryMiB: number | null
  /** `none`, `time-slicing`, `mps` */
  readonly sharing: string | null
  /** As one of which each device counts; 1 where none is shared. */
  readonly replicas: number
  /** Profile of the slices, as `1g.10gb`; null: whole devices. */
  readonly slice: string | null
  /** What pods may have. 0 where labels name devices and no device plugin offers them. */
  readonly count: number
  /** What nobody holds. Null: not all pods may be seen. */
  readonly free: number | null
  /** Most first. Pods that are ending hold what they have until they are gone. */
  readonly holders: readonly DeviceHolder[]
}

export interface DeviceHolder {
  readonly namespace: string
  readonly pod: string
  readonly count: number
  readonly isTerminating: boolean
}

/** In order of their names. */
export function listGpuNodes({ nodes, pods, unseen }: Pick<Inventory, 'nodes' | 'pods' | 'unseen'>): GpuNode[] {
  const isComplete = !unseen.some((what) => what.startsWith('pods'))
  return nodes
    .map((node) => describeNode(node, pods, isComplete))
    .filter(({ devices }) => devices.length > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function describeNode(node: NodeFacts, pods: readonly PodFacts[], isComplete: boolean): GpuNode {
  const { name, labels, taints, isReady, isCordoned } = node
  const here = pods.filter((pod) => pod.node === name)
  return {
    name,
    devices: resourcesOf(node).map((resource) => describeDevices(node, here, resource, isComplete)),
    driver: labels[gpuLabels.driver] ?? null,
    cuda: labels[gpuLabels.cuda] ?? null,
    migStrategy: labels[gpuLabels.migStrategy] ?? null,
    taints: taints.filter(({ key }) => !key.startsWith('node.kubernetes.io/')).map(describeTaint),
    isReady,
    isCordoned,
  }
}

/** With what the node offers none of only where that is all there is to say, and its labels promise devices. */
function resourcesOf({ allocatable, labels }: NodeFacts): string[] {
  const names = Object.keys(allocatable).filter(isGpu).toSorted()
  const offered = names.filter((name) => (allocatable[name] ?? 0) > 0)
  if (offered.length > 0) return offered
  if (Number(labels[gpuLabels.count] ?? 0) > 0) return [wholeGpu]
  return names
}

/** `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, `amd.com/gpu`, `gpu.intel.com/i915` */
function isGpu(resource: string): boolean {
  return /^nvidia\.com\/(gpu|mig-)|^[^/]*\/gpu$|^gpu\.[^/]*\//.test(resource)
}

function describeDevices(
  { allocatable, labels }: NodeFacts,
  pods: readonly PodFacts[],
  resource: string,
  isComplete: boolean,
): NodeDevices {
  const count = allocatable[resource] ?? 0
  const holders = pods
    .map(({ namespace, name, requests, isTerminating }) => ({
      namespace,
      pod: name,
      count: requests[resource] ?? 0,
      isTerminating,
    }))
    .filter((holder) => holder.count > 0)
    .toSorted((a, b) => b.count - a.count || (`${a.namespace}/${a.pod}` < `${b.namespace}/${b.pod}` ? -1 : 1))
  const held = holders.reduce((sum, holder) => sum + holder.count, 0)
  const base = resource.replace(/\.shared$/, '')
  const product = labels[`${base}.product`] ?? null
  return {
    resource,
    product,
    memoryMiB: toNumber(labels[gpuLabel(resource, 'memory')]),
    sharing: labels[gpuLabel(resource, 'sharing-strategy')] ?? null,
    replicas: Math.max(1, toNumber(labels[`${base}.replicas`]) ?? 1),
    slice: /-MIG-(.+?)(-SHARED)?$/.exec(product ?? '')?.[1] ?? /^nvidia\.com\/mig-(.+)$/.exec(base)?.[1] ?? null,
    count,
    free: isComplete ? Math.max(0, count - held) : null,
    holders,
  }
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}

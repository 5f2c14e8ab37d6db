import { formatAmount } from './amount.ts'
import type { NodeFacts } from './facts.ts'
import { gpuLabels, wholeGpu } from './gpu-pod-parts.ts'
import type { Misfit } from './node-fit.ts'
import { distanceOf } from './placement-words.ts'
import type { Placement, PlacementQuestion, SeenRoom } from './placement.ts'
import type { NodeVerdict } from './room.ts'

const slicePrefix = 'nvidia.com/mig-'

type Answer = Pick<Placement, 'kind' | 'nodes' | 'quota'> & { readonly room: SeenRoom }

/** What would do. */
export interface Remedies {
  /** Another way to replace pods; absent: none, or there is nothing to replace. */
  readonly fallback?: 'Swap' | 'Recreate' | undefined
  /** Replicas in all: the most for which there is room, fewer than wanted; absent: not even for one. */
  readonly fewer?: number | undefined
}

/** What to do so that there is room: what takes least comes first. Undefined: nothing here says anything. */
export function adviseRoom(
  question: PlacementQuestion,
  { kind, room, nodes, quota }: Answer,
  { fallback, fewer }: Remedies,
): string | undefined {
  if (kind === 'Wait' && room.whenEnded > room.now) return 'wait: it goes on by itself'
  if (fallback !== undefined && fallback !== question.surge)
    return `\`rollout.surge: ${fallback}\` fits: ${fallback === 'Swap' ? 'old pods go first, one at a time' : 'old pods go first, all of them, and nobody answers meanwhile'}`
  const less = fewer === undefined ? [] : [`ask for ${countReplicas(fewer)}`]
  const areNodesUnseen = question.unseen?.includes('nodes') ?? false
  const onNodes = areNodesUnseen ? Number.POSITIVE_INFINITY : nodes.reduce((sum, each) => sum + each.room, 0)
  if (quota !== undefined && quota.room < onNodes)
    return listWays([...less, `have quota \`${quota.quota}\` raised`, ...askLess(quota.name, quota.asked)])
  const more = question.autoscalerAllowed
    ? 'add a node'
    : 'add a node (`--expect-nodes` where they are added on demand)'
  const full = nodes.find(({ limit, room: left }) => limit !== undefined && left === 0)
  if (full !== undefined) return listWays([...less, ...relieve(full, question), more])
  if (room.now > 0 || nodes.length === 0) return listWays([...less, more])
  const change = first(nodes, (misfit, node) =>
    adviseMisfit(
      misfit,
      question.nodes.find(({ name }) => name === node),
    ),
  )
  return listWays([...less, ...(change === undefined ? [] : [change])])
}

/** What would make room on a node that is full. Pods of the service itself are replaced anyhow, or are wanted. */
function relieve({ limit }: NodeVerdict, { pods, own }: PlacementQuestion): readonly string[] {
  if (limit === undefined) return []
  const mine = pods.filter(({ namespace, service }) => namespace === own.namespace && service === own.service)
  const names = new Set(mine.map(({ namespace, name }) => `${namespace}/${name}`))
  const holder = limit.holders.find(({ pod }) => !names.has(pod))
  if (limit.resource.includes('/') && holder !== undefined) return [`stop ${holder.pod} or wait for its end`]
  return askLess(limit.resource, limit.asked)
}

/** Less than one device is none, and a pod is one pod. */
function askLess(resource: string, asked: number): readonly string[] {
  return asked > 1 ? [`ask for less ${resource}`] : []
}

/** `a`, `a, or b`, `a, b, or c`; undefined: there is none. */
function listWays(ways: readonly string[]): string | undefined {
  if (ways.length < 2) return ways[0]
  return `${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}`
}

/** Of the node that is nearest to taking a pod. */
function first(
  nodes: readonly NodeVerdict[],
  advise: (misfit: Misfit, node: string) => string | undefined,
): string | undefined {
  const byDistance = nodes.toSorted((a, b) => distanceOf(a) - distanceOf(b) || memoryOf(b) - memoryOf(a))
  return byDistance
    .map(({ node, misfit }) => (misfit === undefined ? undefined : advise(misfit, node)))
    .find((advice) => advice !== undefined)
}

/** The largest device comes closest to what is asked for. */
function memoryOf({ misfit }: NodeVerdict): number {
  if (misfit?.kind !== 'LabelDiffers' || !misfit.label.endsWith('.memory') || misfit.found === null) return 0
  return Number(misfit.found)
}

function adviseMisfit(misfit: Misfit, node: NodeFacts | undefined): string | undefined {
  const name = node?.name ?? ''
  switch (misfit.kind) {
    case 'Cordoned':
      return `\`kubectl uncordon ${name}\``
    case 'NotReady':
      return `see why ${name} is not ready: \`kubectl describe node ${name}\``
    case 'Tainted':
      return `if these pods may be there: \`pod.tolerations: [{ key: ${misfit.taint.key}, operator: Exists, effect: ${misfit.taint.effect} }]\``
    case 'DriverTooOld':
      return `update the driver of ${name} to ${misfit.floor} or later, or build with an older CUDA`
    case 'LabelDiffers':
      return adviseLabel(misfit)
    case 'TooSmall':
      return adviseTooSmall(misfit, node)
  }
}

function adviseLabel({ label, found, wanted }: Misfit & { kind: 'LabelDiffers' }): string | undefined {
  if (label.endsWith('.memory') && found !== null)
    return `\`gpu.minMemory: ${Number(found) % 1024 === 0 ? `${Number(found) / 1024}Gi` : `${found}Mi`}\` is what there is, if the model needs no more`
  if (label.endsWith('.sharing-strategy') && found !== null)
    return found === 'none'
      ? '`gpu.sharing: Exclusive` takes whole devices'
      : '`gpu.sharing: Shared`, if others may slow it down and break it'
  if (found === null && label.startsWith('nvidia.com/'))
    return "install NVIDIA's GPU feature discovery, which labels nodes, or ask for less"
  if (label === gpuLabels.slices) return '`gpu.count: 1`'
  return `a node with ${label} ${wanted}`
}

function adviseTooSmall(
  { resource, has, asked, offers }: Misfit & { kind: 'TooSmall' },
  node: NodeFacts | undefined,
): string | undefined {
  if (has > 0)
    return resource.includes('/')
      ? `at most ${has} of ${resource} are on one node; ${asked} are asked for`
      : `at most ${formatAmount(resource, has)} of ${resource} are on one node`
  if (resource.startsWith(slicePrefix) && offers.includes(wholeGpu) && node?.labels[gpuLabels.slices] !== undefined)
    return `slices are called ${wholeGpu} on ${node.name} (MIG strategy single): \`gpu.minMemory\` instead of \`gpu.mig\``
  if (resource === wholeGpu && offers.includes(`${wholeGpu}.shared`))
    return `\`gpu: { resourceName: ${wholeGpu}.shared, sharing: Shared }\`, if others may slow it down and break it`
  const profiles = offers.filter((name) => name.startsWith(slicePrefix))
  if (profiles.length > 0) return `\`gpu.mig: ${profiles[0]?.slice(slicePrefix.length)}\` is there`
  return undefined
}

function countReplicas(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`
}

import { formatAmount } from './amount.ts'
import type { Taint } from './facts.ts'
import { gpuLabels } from './gpu-pod-parts.ts'
import type { Misfit } from './node-fit.ts'
import type { Placement, SeenRoom } from './placement.ts'
import type { Holder, NodeLimit, NodeVerdict, QuotaVerdict } from './room.ts'

type Answer = Pick<Placement, 'kind' | 'nodes' | 'quota'> & { readonly room: SeenRoom }

/** How many names a sentence carries before it counts. */
const mostNames = 2
/** How many reasons it carries. */
const mostPhrases = 3

/** The reason of an answer: one clause with its figures. */
export function describeAnswer(
  { kind, room, nodes, quota }: Answer,
  { replicas, replaced }: { readonly replicas: number; readonly replaced: number },
): string {
  const { wanted, now, whenEnded } = room
  const why = describeShortage(nodes, quota, now)
  if (kind === 'Unknown') return 'nodes may not be seen, so nothing is known of the room on them'
  if (wanted === 0) return 'nothing has to be placed'
  const because = now > 0 ? '' : `: ${why}`
  switch (kind) {
    case 'Surge':
      if (replaced === 0) return `there is room for ${now}, ${wanted} wanted`
      return `there is room for ${now} more, and each new pod starts before an old one stops`
    case 'Swap':
      return `an old pod has to stop before each new one starts, and ${replicas - 1} of ${replicas} answer meanwhile${because}`
    case 'Recreate':
      return `every old pod has to stop before a new one starts, and nobody answers meanwhile${because}`
    case 'Wait':
      if (whenEnded > now)
        return `room for ${now} of ${wanted} now, for ${Math.min(whenEnded, wanted)} once pods that are ending have left: ${why}`
      return `room for ${now} of ${wanted} until nodes are added: ${why}`
    case 'Impossible':
      return `room for ${Math.min(now, wanted)} of ${wanted}: ${why}`
  }
}

/** `gpu-a: 0 of nvidia.com/gpu free …, 2 other nodes fit less`: what keeps the next pod away, alike nodes together, the nearest first. */
function describeShortage(nodes: readonly NodeVerdict[], quota: QuotaVerdict | undefined, now: number): string {
  const alike = new Map<string, string[]>()
  for (const node of nodes.filter(({ room }) => room === 0).toSorted((a, b) => distanceOf(a) - distanceOf(b))) {
    const phrase = describeNode(node)
    alike.set(phrase, [...(alike.get(phrase) ?? []), node.node])
  }
  const phrases = quota !== undefined && quota.room <= now ? [describeQuota(quota)] : []
  phrases.push(...[...alike].slice(0, mostPhrases).map(([phrase, names]) => `${nameNodes(names)} ${phrase}`))
  const others = [...alike].slice(mostPhrases).flatMap(([, names]) => names).length
  if (others > 0) phrases.push(others === 1 ? '1 other node fits less' : `${others} other nodes fit less`)
  if (phrases.length > 0) return phrases.join(', ')
  return nodes.length === 0 ? 'there is no node' : `the nodes have room for ${now}`
}

/** What would have to change so that a node takes a pod, the least first. */
const changes: readonly Misfit['kind'][] = [
  'Cordoned',
  'Tainted',
  'NotReady',
  'DriverTooOld',
  'LabelDiffers',
  'TooSmall',
]

/** How far a node is from taking one more pod: 0 where it is only full. */
export function distanceOf({ misfit }: NodeVerdict): number {
  return misfit === undefined ? 0 : changes.indexOf(misfit.kind) + 1
}

function nameNodes(names: readonly string[]): string {
  return names.length > mostNames ? `${names.length} nodes:` : `${names.join(' and ')}:`
}

/** Of a node without room: `full, nvidia.com/gpu: 0 of 8 free, ml/train holds 8`. */
export function describeNode({ misfit, limit, whole }: NodeVerdict): string {
  if (misfit !== undefined) return describeMisfit(misfit)
  return limit === undefined ? `room for ${whole}` : describeLimit(limit)
}

function describeLimit({ resource, free, asked, holders }: NodeLimit): string {
  const amounts = `${formatAmount(resource, Math.max(0, free))} of ${resource} free, ${formatAmount(resource, asked)} wanted`
  return resource.includes('/') ? `${amounts}${describeHolders(holders)}` : amounts
}

function describeHolders(holders: readonly Holder[]): string {
  if (holders.length === 0) return ''
  const named = holders
    .slice(0, mostNames)
    .map(({ pod, amount, isTerminating }) => `${pod} holds ${amount}${isTerminating ? ' and is ending' : ''}`)
  const rest = holders.slice(mostNames).reduce((sum, { amount }) => sum + amount, 0)
  return ` (${[...named, ...(rest > 0 ? [`${holders.length - mostNames} others ${rest}`] : [])].join(', ')})`
}

function describeQuota({ quota, name, hard, used, asked }: QuotaVerdict): string {
  return `quota ${quota} allows ${formatAmount(name, hard)} of ${name}, ${formatAmount(name, used)} in use and ${formatAmount(name, asked)} wanted for each pod`
}

export function describeMisfit(misfit: Misfit): string {
  switch (misfit.kind) {
    case 'NotReady':
      return 'not ready'
    case 'Cordoned':
      return 'cordoned'
    case 'Tainted':
      return `taint ${describeTaint(misfit.taint)}`
    case 'TooSmall':
      return describeTooSmall(misfit)
    case 'LabelDiffers':
      return describeLabel(misfit)
    case 'DriverTooOld':
      return `driver ${misfit.driver}, CUDA ${misfit.cudaVersion} needs ${misfit.floor}`
  }
}

function describeTooSmall({ resource, has, asked, offers }: Misfit & { kind: 'TooSmall' }): string {
  if (has > 0) return `${formatAmount(resource, has)} of ${resource} in all, ${formatAmount(resource, asked)} wanted`
  return `no ${resource}${resource.includes('/') && offers.length > 0 ? `, but ${offers.join(', ')}` : ''}`
}

function describeLabel({ label, wanted, found }: Misfit & { kind: 'LabelDiffers' }): string {
  if (found === null) return `no label ${label} (${wanted} wanted)`
  if (label.endsWith('.memory'))
    return `${found} MiB of GPU memory, ${wanted.replace(/^over (\d+)$/, (_, less) => String(Number(less) + 1))} wanted`
  if (label.endsWith('.sharing-strategy'))
    return found === 'none' ? `its devices are not shared, ${wanted} wanted` : `its devices are shared (${found})`
  if (label === gpuLabels.slices) return 'its devices are MIG slices, and a process sees one of them only'
  return `${label} is ${found}, ${wanted} wanted`
}

/** `dedicated=ml:NoSchedule` */
export function describeTaint({ key, value, effect }: Taint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`
}

import type { Told } from '../cause.ts'
import type { Node, Pod } from 'kubernetes-types/core/v1.js'
import { formatAmount } from '../../../decide/placement/amount.ts'
import type { Sight } from '../sight.ts'
import { count, listNames, nameResource } from '../wording.ts'
import { allocatableOf, requestsOf } from './node-match.ts'

/**
 * Nodes are too small or too full. `large`: those that could take the pod if nobody else were there, `chosen`: all that have
 * the labels; both are empty where nodes may not be seen.
 */
export function tellShortage(
  short: readonly string[],
  pod: Pod,
  large: readonly Node[],
  chosen: readonly Node[],
  sight: Sight,
): Told {
  const requests = requestsOf(pod)
  // Devices are scarcer than CPU and memory, and what no node has is scarcer than what is taken.
  const tooMuch = Object.entries(requests).find(([resource, asked]) =>
    chosen.every((node) => (allocatableOf(node)[resource] ?? 0) < asked),
  )?.[0]
  const resource =
    (large.length === 0 && chosen.length > 0 ? tooMuch : undefined) ?? short.find(isDevice) ?? short[0] ?? 'cpu'
  const asked = requests[resource] ?? 0
  const what = tellAmount(resource, asked)
  const reason = isDevice(resource) ? 'NoGpuFree' : (reasons[resource] ?? 'NodesFull')
  const { field } = nameResource(resource)
  if (large.length === 0 && chosen.length > 0) {
    const most = Math.max(0, ...chosen.map((node) => allocatableOf(node)[resource] ?? 0))
    const largest =
      most === 0 ? 'no node that it may use has any' : `the largest that it may use has ${renderAmount(resource, most)}`
    return {
      reason: isDevice(resource) ? 'NoGpuThere' : reason,
      sentence: `no node has ${what}: ${largest}`,
      advice:
        most === 0 && isDevice(resource)
          ? 'give the cluster a node with them, and see to it that its device plugin runs; `towline gpu` shows what there is'
          : `lower \`${field}\` (${renderAmount(resource, asked)} now), or give the cluster a larger node`,
    }
  }
  const holders = sight.context.holders?.filter((holder) => holder.resource === resource) ?? []
  const full =
    large.length === 0 ? '' : `: ${count(large.length, 'node')} would do, but ${large.length === 1 ? 'is' : 'are'} full`
  const who =
    holders.length === 0
      ? ''
      : ` (${listNames(holders.toSorted((a, b) => b.count - a.count).map(({ pod, count, node }) => `${pod} holds ${count} on ${node}`))})`
  const surge = sight.look.deployment?.spec?.strategy?.rollingUpdate?.maxUnavailable === 0
  const replaces = new Set(sight.pods.map(({ revision }) => revision)).size > 1
  const swap = surge && replaces ? ', or let an old replica go first (`rollout.surge: Swap`)' : ''
  return {
    reason,
    sentence: `no node has ${what} free${full}${who}`,
    advice: `wait until others end, lower \`${field === 'gpu.count' ? 'replicas' : field}\`, or add a node${swap}`,
  }
}

const reasons: Readonly<Record<string, string>> = {
  cpu: 'NoCpuFree',
  memory: 'NoMemoryFree',
  pods: 'NoPodFree',
}

/** Anything a device plugin gives. */
function isDevice(resource: string): boolean {
  return resource.includes('/') && !resource.startsWith('kubernetes.io/')
}

function tellAmount(resource: string, asked: number): string {
  if (resource === 'pods') return 'room for one pod more'
  return renderAmount(resource, asked)
}

function renderAmount(resource: string, asked: number): string {
  const amount = formatAmount(resource, asked)
  if (resource === 'cpu') return `${amount} CPU`
  if (resource === 'memory') return `${amount} of memory`
  return `${amount} ${resource}`
}

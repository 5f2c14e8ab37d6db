import { formatAmount } from '../../decide/placement/amount.ts'
import type { PodAsk } from '../../decide/placement/facts.ts'
import { describeNode } from '../../decide/placement/placement-words.ts'
import type { Placement } from '../../decide/placement/placement.ts'
import type { NodeVerdict } from '../../decide/placement/room.ts'
import { renderRow, renderTable } from '../term/layout.ts'

export interface PlacementView {
  readonly name: string
  readonly replicas: number
  readonly ask: Pick<PodAsk, 'requests'>
  readonly placement: Placement
}

/** What would fit, and where not and why. */
export function renderPlacement({ name, replicas, ask, placement }: PlacementView): string[] {
  const { kind, reason, advice, room, quota, nodes, notes } = placement
  const asked = Object.entries(ask.requests)
    .filter(([resource, amount]) => resource !== 'pods' && amount > 0)
    .toSorted(([a], [b]) => Number(b.includes('/')) - Number(a.includes('/')))
    .map(([resource, amount]) => `${formatAmount(resource, amount)} ${resource}`)
  return [
    `${name}: ${replicas === 1 ? '1 replica' : `${replicas} replicas`}${replicas === 1 ? '' : ', each'} with ${asked.join(', ')}`,
    renderRow('room', room.now === null ? 'unknown' : `for ${room.now} more now`),
    ...(quota === undefined
      ? []
      : [
          renderRow(
            'quota',
            `${quota.quota}: ${formatAmount(quota.name, quota.used)} of ${formatAmount(quota.name, quota.hard)} ${quota.name} in use`,
          ),
        ]),
    renderRow('placement', `${kind}: ${reason}`),
    ...(advice === undefined ? [] : [renderRow('what to do', advice)]),
    ...notes.map((note) => renderRow('note', note)),
    ...(nodes.length === 0 ? [] : ['', renderTable(['NODE', 'MORE', 'WHY NOT'], listNodes(nodes))]),
  ]
}

/** Nodes that are full or fit badly with their reasons; of those that have no such device at all only how many there are. */
function listNodes(nodes: readonly NodeVerdict[]): string[][] {
  const foreign = nodes.filter(isForeign)
  const rows = nodes
    .filter((verdict) => !isForeign(verdict))
    .map((verdict) => [verdict.node, String(verdict.room), verdict.room > 0 ? '' : describeNode(verdict)])
  const [first] = foreign
  if (first === undefined) return rows
  const name = foreign.length === 1 ? first.node : `${foreign.length} others`
  const devices = new Set(foreign.map(describeNode))
  return [...rows, [name, '0', devices.size === 1 ? describeNode(first) : 'no such device']]
}

function isForeign({ misfit }: NodeVerdict): boolean {
  return misfit?.kind === 'TooSmall' && misfit.has === 0 && misfit.offers.length === 0
}

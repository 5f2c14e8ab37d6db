import { notePlacement } from './placement-notes.ts'
import { adviseRoom } from './placement-advice.ts'
import { describeAnswer } from './placement-words.ts'
import type { Placement, PlacementQuestion, PlacementRoom, SeenRoom, SurgeWish } from './placement.ts'
import { type Ground, judgeNodes, judgeQuotas } from './room.ts'
import { worstRooms } from './worst-room.ts'

/** Counts only: it never promises more than there is, whatever the order in which pods leave. */
export function planPlacement(question: PlacementQuestion): Placement {
  const { nodes, pods, quotas, ask, own, replicas } = question
  const areNodesUnseen = question.unseen?.includes('nodes') ?? false
  const ground: Ground = { nodes, areNodesUnseen, pods, quotas, ask, namespace: own.namespace }
  const mine = pods.filter(
    (pod) => pod.namespace === own.namespace && pod.service === own.service && !pod.isTerminating,
  )
  // Pods without a place hold nothing but their part of a quota; those that stay get the places that are asked for here.
  const waiting = mine.filter(({ node }) => node === undefined)
  const placed = mine.filter(({ node }) => node !== undefined)
  const replaced = placed.filter(({ revision }) => revision !== own.revision)
  const ending = pods.filter((pod) => pod.isTerminating)
  const wanted = Math.max(0, replicas - (placed.length - replaced.length))
  const exchange: Exchange = { wanted, missing: replicas - placed.length, rooms: worstRooms(ground, waiting, replaced) }
  const later = { ...exchange, rooms: worstRooms(ground, [...waiting, ...ending], replaced) }
  const room: SeenRoom = {
    wanted,
    now: exchange.rooms[0] ?? 0,
    whenEnded: later.rooms[0] ?? 0,
    whenReplaced: exchange.rooms.at(-1) ?? 0,
  }
  const quota = judgeQuotas(ground, waiting)
  const chosen = chooseKind(question, exchange, later)
  // A quota can still say no, or that old pods have to go first.
  const kind = areNodesUnseen && chosen === 'Surge' ? 'Unknown' : chosen
  const answer = { kind, room, nodes: judgeNodes(ground), ...(quota === undefined ? {} : { quota }) }
  // More room is no help against what no node can do.
  const advice =
    ask.refusal === undefined && (kind === 'Wait' || kind === 'Impossible')
      ? adviseRoom(question, answer, {
          fallback: replaced.length === 0 ? undefined : fallbackOf(exchange, replicas),
          fewer: fewerOf(question, exchange),
        })
      : undefined
  return {
    ...answer,
    room: { wanted, ...mapSeen(room) },
    reason: ask.refusal ?? describeAnswer(answer, { replicas, replaced: replaced.length }),
    ...(advice === undefined ? {} : { advice }),
    notes: notePlacement(question),
  }
}

function mapSeen({ now, whenEnded, whenReplaced }: SeenRoom): Omit<PlacementRoom, 'wanted'> {
  const see = (count: number): number | null => (Number.isFinite(count) ? count : null)
  return { now: see(now), whenEnded: see(whenEnded), whenReplaced: see(whenReplaced) }
}

/** Old pods leave one by one and new ones come. */
interface Exchange {
  /** New pods in all. */
  readonly wanted: number
  /** More pods than there are now; below 0 where there are too many. */
  readonly missing: number
  /** Places for new pods, at least, after none, one … and all of the old ones have left. */
  readonly rooms: readonly number[]
}

function chooseKind(
  { ask, surge, replicas, autoscalerAllowed = false }: PlacementQuestion,
  exchange: Exchange,
  later: Exchange,
): Placement['kind'] {
  if (ask.refusal !== undefined) return 'Impossible'
  const now = chooseNow(surge, replicas, exchange)
  if (now !== undefined) return now
  return autoscalerAllowed || chooseNow(surge, replicas, later) !== undefined ? 'Wait' : 'Impossible'
}

function chooseNow(surge: SurgeWish, replicas: number, exchange: Exchange): 'Surge' | 'Swap' | 'Recreate' | undefined {
  if ((surge === 'Auto' || surge === 'Surge') && goesThrough(exchange, 1)) return 'Surge'
  if ((surge === 'Swap' || (surge === 'Auto' && replicas > 1)) && goesThrough(exchange, 0)) return 'Swap'
  // Of one pod that has to go first there is nothing to keep up meanwhile.
  if ((surge === 'Recreate' || (surge === 'Auto' && replicas === 1)) && fitsAtOnce(exchange)) return 'Recreate'
  return undefined
}

/** True when at each step all new pods that may be there have a place: `extra` more than wanted in all. Otherwise no old one would leave. */
function goesThrough({ wanted, missing, rooms }: Exchange, extra: 0 | 1): boolean {
  return rooms.every((room, left) => room >= Math.min(wanted, missing + extra + left))
}

function fitsAtOnce({ wanted, rooms }: Exchange): boolean {
  return (rooms.at(-1) ?? 0) >= wanted
}

/** What would do where the wish does not, with less. */
function fallbackOf(exchange: Exchange, replicas: number): 'Swap' | 'Recreate' | undefined {
  if (replicas > 1 && goesThrough(exchange, 0)) return 'Swap'
  return fitsAtOnce(exchange) ? 'Recreate' : undefined
}

/** The most replicas that fit as the wish is; undefined: not even one. */
function fewerOf({ surge, replicas }: PlacementQuestion, { wanted, missing, rooms }: Exchange): number | undefined {
  for (let cut = 1; cut < replicas; cut++) {
    const exchange = { wanted: Math.max(0, wanted - cut), missing: missing - cut, rooms }
    if (chooseNow(surge, replicas - cut, exchange) !== undefined) return replicas - cut
  }
  return undefined
}

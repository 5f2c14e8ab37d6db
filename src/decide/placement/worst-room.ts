import type { Amounts, NodeFacts, PodFacts } from './facts.ts'
import { findMisfit } from './node-fit.ts'
import { type Ground, countFits, freeOf, quotaAmount, usedOf } from './room.ts'

/**
 * Places for pods of this kind after none, one, two … and all of `replaced` have left: the fewest that there may be, because nobody says
 * which of them leave first. `leaving` have left before. Counts of places; infinite where nothing that may be seen limits.
 */
export function worstRooms(ground: Ground, leaving: readonly PodFacts[], replaced: readonly PodFacts[]): number[] {
  const gone = new Set(leaving)
  const pods = ground.pods.filter((pod) => !gone.has(pod))
  const nodes = ground.areNodesUnseen
    ? replaced.map(() => Infinity).concat(Infinity)
    : onNodes({ ...ground, pods }, replaced)
  const quotas = inQuotas(ground, leaving, replaced)
  return nodes.map((room, left) => Math.min(room, ...quotas.map((rooms) => rooms[left] ?? 0)))
}

function onNodes({ nodes, pods, ask }: Ground, replaced: readonly PodFacts[]): number[] {
  const elsewhere = replaced.filter((pod) => !nodes.some(({ name }) => name === pod.node)).map(() => 0)
  return nodes
    .map((node) => {
      const here = replaced.filter((pod) => pod.node === node.name)
      if (findMisfit(node, ask) !== undefined) return [0, ...here.map(() => 0)]
      return roomsOfNode(node, pods, here, ask.requests)
    })
    .reduce(spreadWorst, [0, ...elsewhere])
}

/** Of each resource the smallest amounts come back first: exact where the pods that leave are alike, and never too much. */
function roomsOfNode(
  node: NodeFacts,
  pods: readonly PodFacts[],
  leaving: readonly PodFacts[],
  requests: Amounts,
): number[] {
  const free = freeOf(
    node,
    pods.filter((pod) => pod.node === node.name),
  )
  const back = Object.keys(requests).map((resource) => ({
    resource,
    sums: sumSmallest(leaving.map((pod) => pod.requests[resource] ?? 0)),
  }))
  return [0, ...leaving].map((_, left) =>
    countFits(
      Object.fromEntries(back.map(({ resource, sums }) => [resource, (free[resource] ?? 0) + (sums[left] ?? 0)])),
      requests,
    ),
  )
}

/** One list for each name of each quota that such a pod counts for. */
function inQuotas(ground: Ground, leaving: readonly PodFacts[], replaced: readonly PodFacts[]): number[][] {
  return ground.quotas.flatMap(({ hard, used }) =>
    Object.entries(hard).flatMap(([name, limit]) => {
      const asked = quotaAmount(ground.ask, name)
      if (asked === 0) return []
      const own = leaving.filter((pod) => pod.namespace === ground.namespace)
      const left = limit - usedOf(ground, used, name) + own.reduce((sum, pod) => sum + quotaAmount(pod, name), 0)
      const sums = sumSmallest(replaced.map((pod) => quotaAmount(pod, name)))
      return [sums.map((back) => Math.max(0, Math.floor((left + back) / asked)))]
    }),
  )
}

/** 3, 1, 2 → 0, 1, 3, 6 */
function sumSmallest(amounts: readonly number[]): number[] {
  const sums = [0]
  for (const amount of amounts.toSorted((a, b) => a - b)) sums.push((sums.at(-1) ?? 0) + amount)
  return sums
}

/** The fewest places of two nodes together, over all ways in which so many pods leave the one or the other. */
function spreadWorst(a: readonly number[], b: readonly number[]): number[] {
  const worst = Array.from<number>({ length: a.length + b.length - 1 }).fill(Infinity)
  for (const [left, rooms] of a.entries())
    for (const [more, others] of b.entries()) worst[left + more] = Math.min(worst[left + more] ?? 0, rooms + others)
  return worst
}

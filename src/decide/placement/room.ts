import type { Amounts, NodeFacts, PodAsk, PodFacts, QuotaFacts } from './facts.ts'
import { type Misfit, findMisfit } from './node-fit.ts'

/** What one node can take, and why it takes no more. */
export interface NodeVerdict {
  readonly node: string
  /** So many more pods of this kind, now. */
  readonly room: number
  /** So many, were it empty. */
  readonly whole: number
  /** No pod of this kind can be here. Absent with `room` 0: it is full of `limit`. */
  readonly misfit?: Misfit
  /** The resource that runs out first; absent where nothing fits anyhow. */
  readonly limit?: NodeLimit
}

export interface NodeLimit {
  readonly resource: string
  readonly free: number
  readonly asked: number
  /** Who has the rest, most first. */
  readonly holders: readonly Holder[]
}

export interface Holder {
  /** `namespace/name` */
  readonly pod: string
  readonly amount: number
  readonly isTerminating: boolean
}

export interface QuotaVerdict {
  readonly quota: string
  /** As in the quota: `requests.nvidia.com/gpu`. */
  readonly name: string
  readonly hard: number
  readonly used: number
  readonly asked: number
  readonly room: number
}

/** All that a question is about. Pods are counted on the node that they hold. */
export interface Ground {
  readonly nodes: readonly NodeFacts[]
  /** `nodes` is empty because nobody may look: quotas alone limit. */
  readonly areNodesUnseen: boolean
  readonly pods: readonly PodFacts[]
  readonly quotas: readonly QuotaFacts[]
  readonly ask: PodAsk
  readonly namespace: string
}

/** Nodes in order of their names: the same cluster gets the same words. Pods of one kind never compete for the rest of two nodes, so counts add up. */
export function judgeNodes({ nodes, pods, ask }: Ground): NodeVerdict[] {
  return nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((node) => {
      const misfit = findMisfit(node, ask)
      if (misfit !== undefined) return { node: node.name, room: 0, whole: 0, misfit }
      const here = pods.filter((pod) => pod.node === node.name)
      const free = freeOf(node, here)
      const limit = findLimit(free, ask.requests)
      const whole = countFits(node.allocatable, ask.requests)
      if (limit === undefined) return { node: node.name, room: whole, whole }
      return {
        node: node.name,
        room: countFits(free, ask.requests),
        whole,
        limit: {
          resource: limit,
          free: free[limit] ?? 0,
          asked: ask.requests[limit] ?? 0,
          holders: findHolders(here, limit),
        },
      }
    })
}

/** The quota that runs out first; undefined where none limits such a pod. */
export function judgeQuotas(ground: Ground, leaving: readonly PodFacts[]): QuotaVerdict | undefined {
  const { quotas, ask, namespace } = ground
  const verdicts = quotas.flatMap(({ name: quota, hard, used }) =>
    Object.entries(hard).flatMap(([name, limit]) => {
      const asked = quotaAmount(ask, name)
      if (asked === 0) return []
      const freed = leaving
        .filter((pod) => pod.namespace === namespace)
        .reduce((sum, pod) => sum + quotaAmount(pod, name), 0)
      const inUse = Math.max(0, usedOf(ground, used, name) - freed)
      const room = Math.max(0, Math.floor((limit - inUse) / asked))
      return [{ quota, name, hard: limit, used: inUse, asked, room }]
    }),
  )
  return verdicts.toSorted((a, b) => a.room - b.room)[0]
}

/** What the pods on it leave of a node; below 0 where more is held than there is. */
export function freeOf({ allocatable }: NodeFacts, pods: readonly PodFacts[]): Amounts {
  const free: Record<string, number> = { ...allocatable }
  for (const { requests } of pods)
    for (const [resource, amount] of Object.entries(requests)) free[resource] = (free[resource] ?? 0) - amount
  return free
}

/** So many pods find room in what is free. */
export function countFits(free: Amounts, requests: Amounts): number {
  const limit = findLimit(free, requests)
  return limit === undefined ? 0 : fitsOf(free, requests, limit)
}

function findLimit(free: Amounts, requests: Amounts): string | undefined {
  return Object.keys(requests)
    .filter((resource) => (requests[resource] ?? 0) > 0)
    .toSorted((a, b) => fitsOf(free, requests, a) - fitsOf(free, requests, b))[0]
}

function fitsOf(free: Amounts, requests: Amounts, resource: string): number {
  return Math.max(0, Math.floor((free[resource] ?? 0) / (requests[resource] ?? 1)))
}

function findHolders(pods: readonly PodFacts[], resource: string): Holder[] {
  return pods
    .map(({ namespace, name, requests, isTerminating }) => ({
      pod: `${namespace}/${name}`,
      amount: requests[resource] ?? 0,
      isTerminating,
    }))
    .filter(({ amount }) => amount > 0)
    .toSorted((a, b) => b.amount - a.amount || (a.pod < b.pod ? -1 : 1))
}

/** What a pod counts for under this name of a quota: `cpu` and `requests.cpu` are the same. */
export function quotaAmount(
  { requests, limits }: { readonly requests: Amounts; readonly limits: Amounts },
  name: string,
): number {
  if (name === 'pods' || name === 'count/pods') return 1
  if (name.startsWith('limits.')) return limits[name.slice('limits.'.length)] ?? 0
  if (name.startsWith('requests.')) return requests[name.slice('requests.'.length)] ?? 0
  return ['cpu', 'memory', 'ephemeral-storage'].includes(name) ? (requests[name] ?? 0) : 0
}

/** What the quota's status says, or the sum where it has none yet. */
export function usedOf({ pods, namespace }: Ground, used: Amounts, name: string): number {
  return (
    used[name] ??
    pods.filter((pod) => pod.namespace === namespace).reduce((sum, pod) => sum + quotaAmount(pod, name), 0)
  )
}

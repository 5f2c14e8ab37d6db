import type { Node, NodeSelectorRequirement, Pod, Taint } from 'kubernetes-types/core/v1.js'
import type { Amounts } from '../../../decide/placement/facts.ts'
import { keepsAway, meets } from '../../../decide/placement/node-rules.ts'
import { amountsOfPod, toAmounts } from '../../inventory/pod-requests.ts'

/** A label that a pod asks of its node. */
export type Wish = Omit<NodeSelectorRequirement, 'values'> & { readonly values: string[] }

/** What a pod asks of the labels of nodes: one of the lists has to fit as a whole. */
export function listWishes({ spec }: Pod): readonly (readonly Wish[])[] {
  const selected = Object.entries(spec?.nodeSelector ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }))
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return [selected]
  return terms.map(({ matchExpressions = [] }) => [
    ...selected,
    ...matchExpressions.map((wish) => ({ ...wish, values: wish.values ?? [] })),
  ])
}

export function matchesLabels(wishes: readonly (readonly Wish[])[], node: Node): boolean {
  return wishes.some((all) => all.every((wish) => hasLabel(node, wish)))
}

export function hasLabel({ metadata }: Node, wish: Wish): boolean {
  return meets(metadata?.labels?.[wish.key], wish)
}

/** The taints that keep a pod off a node. */
export function listUntolerated({ spec }: Pod, { spec: nodeSpec }: Node): readonly Taint[] {
  return (nodeSpec?.taints ?? []).filter((taint) => keepsAway(taint, spec?.tolerations ?? []))
}

export function requestsOf({ spec }: Pod): Amounts {
  return spec === undefined ? {} : amountsOfPod(spec).requests
}

/** What a node can give when nobody has anything of it. */
export function allocatableOf({ status }: Node): Amounts {
  return toAmounts(status?.allocatable)
}

/** An empty node would do. */
export function isLargeEnough(node: Node, requests: Amounts): boolean {
  const most = allocatableOf(node)
  return Object.entries(requests).every(([resource, asked]) => (most[resource] ?? 0) >= asked)
}

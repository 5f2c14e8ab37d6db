import type { Node } from 'kubernetes-types/core/v1.js'

/** Labels of nodes that belong to a pool which something may enlarge. */
const poolLabels = [
  'karpenter.sh/nodepool',
  'eks.amazonaws.com/nodegroup',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'agentpool',
]

/** Nodes may come by themselves where some belong to pools: nothing in the API says so for sure before it happens. */
export function mayGrow(nodes: readonly Node[]): boolean {
  return nodes.some(({ metadata }) => poolLabels.some((label) => metadata?.labels?.[label] !== undefined))
}

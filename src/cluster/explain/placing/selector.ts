import type { Told } from '../cause.ts'
import type { Node } from 'kubernetes-types/core/v1.js'
import { listNames } from '../wording.ts'
import { type Wish, hasLabel } from './node-match.ts'

/** How people call the labels by which GPUs are chosen, and the field of the spec that chooses. */
const gpuLabels: Readonly<Record<string, { readonly noun: string; readonly field: string }>> = {
  'nvidia.com/gpu.memory': { noun: 'GPUs with enough memory (nvidia.com/gpu.memory, in MiB)', field: 'gpu.minMemory' },
  'nvidia.com/gpu.compute.major': {
    noun: 'GPUs that are new enough (nvidia.com/gpu.compute.major)',
    field: 'gpu.minComputeCapability',
  },
  'nvidia.com/gpu.compute.minor': {
    noun: 'GPUs that are new enough (nvidia.com/gpu.compute.minor)',
    field: 'gpu.minComputeCapability',
  },
}

/** No node has the labels that a pod asks for. `nodes` is empty where they may not be seen. */
export function tellSelector(wishes: readonly (readonly Wish[])[], nodes: readonly Node[]): Told {
  // Of several ways to fit, the one that most nodes come closest to is what a person wants to know of.
  const unmet = wishes
    .map((all) => all.filter((wish) => !nodes.some((node) => hasLabel(node, wish))))
    .toSorted((a, b) => a.length - b.length)
  const missing = unmet[0]?.[0]
  if (nodes.length === 0 || missing === undefined) {
    const asked = wishes[0]?.map(renderWish) ?? []
    return {
      reason: 'NoNodeMatches',
      sentence: `no node has all the labels that it asks for: ${asked.join(', ')}`,
      advice: 'correct `pod.nodeSelector` or `gpu`, or label a node so',
    }
  }
  const there = [...new Set(nodes.flatMap(({ metadata }) => metadata?.labels?.[missing.key] ?? []))].toSorted()
  const found = there.length === 0 ? 'no node has that label' : `there is ${listNames(there)}`
  const gpu = gpuLabels[missing.key]
  if (gpu !== undefined)
    return {
      reason: 'NoNodeMatches',
      sentence: `no node has ${gpu.noun}: ${renderWish(missing)} is asked for, ${found}`,
      advice: `lower \`${gpu.field}\`, or give the cluster such a node`,
    }
  return {
    reason: 'NoNodeMatches',
    sentence: `no node has the label ${renderWish(missing)} that it asks for; ${found}`,
    advice: 'correct `pod.nodeSelector`, or label a node so',
  }
}

function renderWish({ key, operator, values }: Wish): string {
  switch (operator) {
    case 'In':
      return `${key}=${values.join('|')}`
    case 'NotIn':
      return `${key} other than ${values.join('|')}`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `without ${key}`
    case 'Gt':
      return `${key} > ${values[0]}`
    case 'Lt':
      return `${key} < ${values[0]}`
    default:
      return `${key} ${operator} ${values.join(', ')}`
  }
}

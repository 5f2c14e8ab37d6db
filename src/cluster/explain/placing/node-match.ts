import type { Node, NodeSelectorRequirement, Pod, Taint, Toleration } from 'kubernetes-types/core/v1.js'

/** A label that a pod asks of its node. */
export type Wish = Omit<NodeSelectorRequirement, 'values'> & { readonly values: readonly string[] }

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

export function matchesLabels(wishes: readonly (readonly Wish[])[], { metadata }: Node): boolean {
  return wishes.some((all) => all.every((wish) => meets(wish, metadata?.labels?.[wish.key])))
}

export function meets({ operator, values }: Wish, label: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label)
    case 'NotIn':
      return label === undefined || !values.includes(label)
    case 'Exists':
      return label !== undefined
    case 'DoesNotExist':
      return label === undefined
    case 'Gt':
      return label !== undefined && Number(label) > Number(values[0])
    case 'Lt':
      return label !== undefined && Number(label) < Number(values[0])
    default:
      return false
  }
}

/** The taints that keep a pod off a node. */
export function listUntolerated({ spec }: Pod, { spec: nodeSpec }: Node): readonly Taint[] {
  const tolerations = spec?.tolerations ?? []
  return (nodeSpec?.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  )
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false
  if (key === undefined || key === '') return operator === 'Exists'
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))
}

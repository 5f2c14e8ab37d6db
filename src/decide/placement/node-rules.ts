import type { NodeSelectorRequirement, Toleration } from 'kubernetes-types/core/v1.js'
import type { Taint } from './facts.ts'

/** The scheduler's own rules about labels and taints, each for one of them. */

/** `value`: of the label that the requirement is about; undefined: the node has none. */
export function meets(value: string | undefined, { operator, values = [] }: NodeSelectorRequirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return isInteger(value) && isInteger(values[0]) && BigInt(value) > BigInt(values[0])
    case 'Lt':
      return isInteger(value) && isInteger(values[0]) && BigInt(value) < BigInt(values[0])
    default:
      return false
  }
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,18}$/.test(text)
}

/** True where a pod with these tolerations is not placed because of the taint. */
export function keepsAway(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return taint.effect !== 'PreferNoSchedule' && !tolerations.some((each) => tolerates(each, taint))
}

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false
  if (key !== undefined && key !== '' && key !== taint.key) return false
  return operator === 'Exists' || (key !== undefined && key !== '' && value === (taint.value ?? ''))
}

import { parseQuantity } from '../../base/quantity.ts'

const decimal: Record<string, number> = { k: 3, M: 6, G: 9, T: 12, P: 15 }
const binary: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50 }

/** Why this is no quantity, and what was probably meant. */
export function explainQuantity(text: string, unit: 'bytes' | 'cpu'): string {
  const example = unit === 'bytes' ? 'for example 512Mi or 1G' : 'for example 500m or 2'
  return `\`${text}\` is not a Kubernetes quantity; write ${suggestSpelling(text) ?? example}`
}

function suggestSpelling(text: string): string | undefined {
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,9})?) ?([kmgtp])(i?)(?:b|byte|bytes)?$/i.exec(text)
  if (match === null) return undefined
  const [, digits = '', letter = '', isBinary] = match
  const prefix = letter.toLowerCase() === 'k' ? 'k' : letter.toUpperCase()
  const two = `${prefix.toUpperCase()}i`
  const spellings = isBinary === '' ? [[prefix, `10^${decimal[prefix]}`] as const] : []
  const known = [...spellings, [two, `2^${binary[two]}`] as const].filter(([suffix]) => parseQuantity(digits + suffix))
  return known.map(([suffix, power]) => `${digits}${suffix} (${power})`).join(' or ')
}

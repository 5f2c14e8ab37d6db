import type { ClassScore } from '../../oip/classification.ts'
import type { ModelCard } from '../../spec/model/card.ts'

/** The best `count` classes of one row of raw scores, highest first; equal scores in the order of the classes. */
export function pickTopClasses(row: ArrayLike<number>, card: ModelCard, count: number): ClassScore[] {
  const scores = activate(row, card.activation)
  const order = Array.from(scores.keys()).toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  return order
    .slice(0, count)
    .map((index) => ({ index, label: card.labels[index] ?? `class ${index}`, score: scores[index] ?? 0 }))
}

export function activate(row: ArrayLike<number>, activation: ModelCard['activation']): Float64Array {
  const raw = Float64Array.from(row)
  if (activation === 'None') return raw
  if (activation === 'Sigmoid') return raw.map((value) => 1 / (1 + Math.exp(-value)))
  // Shifted by the largest, so that no exponent overflows.
  const largest = raw.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = raw.map((value) => Math.exp(value - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((value) => value / sum)
}

/** Medians with what they came from, for all benchmarks. */
import { availableParallelism, cpus } from 'node:os'

export interface Figure {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export function summarize(list: readonly number[]): Figure {
  return { median: median(list), lowest: Math.min(...list), highest: Math.max(...list) }
}

export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

export const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}`

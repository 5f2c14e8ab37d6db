import { type LatencyWindow, createLatencyWindow } from '../../../observe/latency-window.ts'
import type { RevisionCounts } from '../gateway-config.ts'

/** Counted in place: the endpoints of a revision share one. */
export interface RevisionTally {
  requests: number
  errors: number
  refused: number
  slow: number
  inFlight: number
  readonly latency: LatencyWindow
}

/** What came of one request that was sent to one replica. */
export interface Outcome {
  readonly error: boolean
  readonly refused: boolean
  readonly slow: boolean
  /** From sending to the end of the answer. Undefined: there was none, and it says nothing of how long answers take. */
  readonly tookMs: number | undefined
  readonly nowMs: number
}

/** Old ones are kept for whoever judges a change afterwards. */
const keptRevisions = 8

export interface RevisionTallies {
  of(revision: number): RevisionTally
  /** Lets go of the oldest that are not in use, where there are too many. */
  forget(used: ReadonlySet<number>): void
  list(nowMs: number): RevisionCounts[]
}

export function createTallies(): RevisionTallies {
  const tallies = new Map<number, RevisionTally>()
  return {
    of: (revision) => {
      const known = tallies.get(revision)
      if (known !== undefined) return known
      const tally = { requests: 0, errors: 0, refused: 0, slow: 0, inFlight: 0, latency: createLatencyWindow() }
      tallies.set(revision, tally)
      return tally
    },
    forget: (used) => {
      const idle = [...tallies].filter(([revision, { inFlight }]) => inFlight === 0 && !used.has(revision))
      const oldest = idle.map(([revision]) => revision).toSorted((a, b) => a - b)
      for (const revision of oldest.slice(0, Math.max(0, tallies.size - keptRevisions))) tallies.delete(revision)
    },
    list: (nowMs) =>
      [...tallies].map(([revision, { latency, ...counts }]) => ({
        revision,
        ...counts,
        latency: latency.summarize(nowMs),
      })),
  }
}

export function countOutcome(tally: RevisionTally, { error, refused, slow, tookMs, nowMs }: Outcome): void {
  tally.requests++
  if (error) tally.errors++
  if (refused) tally.refused++
  if (slow) tally.slow++
  if (tookMs !== undefined) tally.latency.record(tookMs, nowMs)
}

import type { RevisionCounts } from './gateway-config.ts'

/** Counted in place: the endpoints of a revision share one. */
export interface RevisionTally {
  requests: number
  errors: number
  slow: number
  inFlight: number
}

/** Old ones are kept for whoever judges a change afterwards. */
const keptRevisions = 8

export interface RevisionTallies {
  of(revision: number): RevisionTally
  list(): RevisionCounts[]
}

export function createTallies(): RevisionTallies {
  const tallies = new Map<number, RevisionTally>()
  return {
    of: (revision) => {
      const known = tallies.get(revision)
      if (known !== undefined) return known
      const tally = { requests: 0, errors: 0, slow: 0, inFlight: 0 }
      tallies.set(revision, tally)
      const idle = [...tallies].filter(([number, { inFlight }]) => inFlight === 0 && number !== revision)
      if (tallies.size > keptRevisions) tallies.delete(Math.min(...idle.map(([number]) => number)))
      return tally
    },
    list: () => [...tallies].map(([revision, tally]) => ({ revision, ...tally })),
  }
}

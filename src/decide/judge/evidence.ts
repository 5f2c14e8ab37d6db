/** What one revision did: answers, those that were errors, and those that came too late. */
export interface Counts {
  readonly requests: number
  readonly errors: number
  readonly slow: number
}

/** The stretch of time that counts as one piece of evidence: a stall or a burst of errors lies inside one, or two. */
export const evidenceWindowMs = 10_000

/** What both revisions did in the same stretch of time, over all replicas of each. */
export interface EvidenceWindow {
  readonly durationMs: number
  readonly candidate: Counts
  readonly stable: Counts
}

export const noCounts: Counts = { requests: 0, errors: 0, slow: 0 }

export function addCounts(a: Counts, b: Counts): Counts {
  return { requests: a.requests + b.requests, errors: a.errors + b.errors, slow: a.slow + b.slow }
}

/** State is stored: one number that is none would spoil it for good. */
export function checkWindow({ candidate, stable, durationMs }: EvidenceWindow): void {
  const numbers = [durationMs, ...[candidate, stable].flatMap(({ requests, errors, slow }) => [requests, errors, slow])]
  const wrong = numbers.find((value) => !(value >= 0 && value < Infinity))
  if (wrong !== undefined) throw new Error(`a window of evidence holds ${wrong}, where counts begin at 0`)
}

/** One metric of one revision. Sums from Prometheus are extrapolated: never more bad answers than answers. */
export interface Tally {
  readonly requests: number
  readonly bad: number
}

export function tallyOf({ requests, errors, slow }: Counts, metric: 'Errors' | 'Slow'): Tally {
  return { requests, bad: Math.min(requests, metric === 'Errors' ? errors : slow) }
}

/** Null without a request: unknown is not zero. */
export function shareOf({ requests, bad }: Tally): number | null {
  return requests > 0 ? bad / requests : null
}

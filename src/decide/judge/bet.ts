import type { Tally } from './evidence.ts'

/** A stake that loses keeps at least this part, so that one window never ends it. */
const leastLeft = 0.05

/**
 * By how much a stake grows in one window, for each of the four hypotheses. Shares of windows are bet on, not requests: whatever
 * correlates the requests of a window (a stall, a burst) changes nothing about its expected share. Each share is cut where a stake
 * would otherwise win or lose more than about its own size.
 */
export interface Bet {
  readonly candidate: Tally
  readonly stable: Tally
  readonly ratio: number
  readonly floor: number
  /** Share of bad answers of the stable revision, from earlier windows only. */
  readonly expected: number
  /** Share of bad answers in the candidate's bursts, from earlier windows only: a stake must survive one uncut. */
  readonly clumping: number
}

/** Grows where the candidate's share is above the floor. */
export function aboveFloor({ candidate, floor }: Bet, size: number): number {
  const bet = size / (1 / candidate.requests + floor)
  return 1 + Math.min(bet * share(candidate), 1) - bet * floor
}

/** Grows where the candidate's share is below the floor. */
export function belowFloor({ candidate, floor, clumping }: Bet, size: number): number {
  const bet = size / (1 / candidate.requests + Math.max(floor, clumping))
  const most = 1 - leastLeft + bet * floor
  return 1 + bet * floor - Math.min(bet * share(candidate), most)
}

/**
 * Grows where the candidate's share is above `ratio` times the stable one. Both shares are cut at the same place: the candidate's
 * varies more, having fewer replicas, so that a cut lowers its mean more than that of the stable revision.
 */
export function aboveStable({ candidate, stable, ratio, expected }: Bet, size: number): number {
  const bet = size / (1 / evenRequests(candidate, stable, ratio) + ratio * expected)
  const most = (1 - leastLeft) / ratio
  return 1 + Math.min(bet * share(candidate), most) - ratio * Math.min(bet * share(stable), most)
}

/** Grows where the candidate's share is below `ratio` times the stable one. */
export function belowStable({ candidate, stable, ratio, expected, clumping }: Bet, size: number): number {
  const bet = size / (1 / evenRequests(candidate, stable, ratio) + Math.max(ratio * expected, clumping))
  const most = 1 - leastLeft
  return 1 + ratio * Math.min(bet * share(stable), most / ratio) - Math.min(bet * share(candidate), most)
}

/** Requests of a candidate beside an endless stable revision that would say as much as these two do. */
function evenRequests(candidate: Tally, stable: Tally, ratio: number): number {
  return 1 / (1 / candidate.requests + ratio / stable.requests)
}

function share({ requests, bad }: Tally): number {
  return bad / requests
}

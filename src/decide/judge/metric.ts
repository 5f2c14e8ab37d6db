import { type Bet, aboveFloor, aboveStable, belowFloor, belowStable } from './bet.ts'
import { type Capital, playWindow, startCapital, worthOf } from './capital.ts'
import { type Tally, shareOf } from './evidence.ts'

/** Acceptable is at most the larger of `ratio` times the stable revision's share and `floor`. */
export interface Tolerance {
  readonly ratio: number
  readonly floor: number
}

/** What is remembered of one metric. */
export interface MetricState {
  readonly candidate: Tally
  readonly stable: Tally
  /** Windows in which the candidate's share was above what is tolerated. */
  readonly badWindows: number
  /** Pairs and triples of bad answers of the candidate in one window, over its requests and their square. */
  readonly pairs: number
  readonly triples: number
  readonly aboveFloor: Capital
  readonly aboveStable: Capital
  readonly belowFloor: Capital
  readonly belowStable: Capital
  /** The highest there was: whoever looks less often sees the same. */
  readonly alarm: number
}

/**
 * Until a candidate has shown its bursts it is taken to have some, in which this share of a window is bad; as if so many windows
 * just at the bound had been seen so. Otherwise it would pass before its first burst could come.
 */
const assumedClumping = 0.05
const assumedWindows = 20
const leastAssumed = 3

export const emptyMetric: MetricState = {
  candidate: { requests: 0, bad: 0 },
  stable: { requests: 0, bad: 0 },
  badWindows: 0,
  pairs: 0,
  triples: 0,
  aboveFloor: startCapital,
  aboveStable: startCapital,
  belowFloor: startCapital,
  belowStable: startCapital,
  alarm: 1,
}

export function foldMetric(
  state: MetricState,
  { candidate, stable, durationMs }: { candidate: Tally; stable: Tally; durationMs: number },
  tolerance: Tolerance,
): MetricState {
  const { ratio, floor } = tolerance
  const sums = { candidate: add(state.candidate, candidate), stable: add(state.stable, stable) }
  if (candidate.requests === 0) return { ...state, ...sums }
  const bet: Bet = {
    candidate,
    stable,
    ratio,
    floor,
    expected: (state.stable.bad + 0.5) / (state.stable.requests + 50),
    clumping: assumeClumping(state, candidate.requests, tolerated(state.stable, tolerance)),
  }
  const play = (capital: Capital, kind: (bet: Bet, size: number) => number): Capital =>
    playWindow(capital, durationMs, (size) => kind(bet, size))
  const hasFloor = floor > 0
  const hasStable = stable.requests > 0
  const pairs = (candidate.bad * Math.max(0, candidate.bad - 1)) / candidate.requests
  const next = {
    ...state,
    ...sums,
    badWindows: state.badWindows + (candidate.bad > candidate.requests * tolerated(stable, tolerance) ? 1 : 0),
    pairs: state.pairs + pairs,
    triples: state.triples + (pairs * Math.max(0, candidate.bad - 2)) / candidate.requests,
    aboveFloor: hasFloor ? play(state.aboveFloor, aboveFloor) : state.aboveFloor,
    belowFloor: hasFloor ? play(state.belowFloor, belowFloor) : state.belowFloor,
    aboveStable: hasStable ? play(state.aboveStable, aboveStable) : state.aboveStable,
    belowStable: hasStable ? play(state.belowStable, belowStable) : state.belowStable,
  }
  return { ...next, alarm: Math.max(state.alarm, alarmOf(next, floor)) }
}

/** How bad a window is around two bad answers: what was seen, and what is assumed of a candidate not seen for long. */
export function assumeClumping(
  { pairs, triples }: Pick<MetricState, 'pairs' | 'triples'>,
  requests: number,
  bound: number,
): number {
  const assumed = assumedClumping * Math.max(leastAssumed, assumedWindows * requests * bound)
  return (triples + assumedClumping * assumed) / (pairs + assumed)
}
/** A candidate above what is tolerated is above the floor and above the stable revision: both must be shown. */
function alarmOf(state: MetricState, floor: number): number {
  const stable = worthOf(state.aboveStable)
  return floor > 0 ? Math.min(stable, worthOf(state.aboveFloor)) : stable
}

/** Below either one it is acceptable: half of the money is on each. */
export function proofOf(state: MetricState): number {
  return (worthOf(state.belowFloor) + worthOf(state.belowStable)) / 2
}

/** The share that is tolerated, as far as the stable revision's own is known. */
export function tolerated(stable: Tally, { ratio, floor }: Tolerance): number {
  return Math.max(floor, ratio * (shareOf(stable) ?? 0))
}

function add(a: Tally, b: Tally): Tally {
  return { requests: a.requests + b.requests, bad: a.bad + b.bad }
}

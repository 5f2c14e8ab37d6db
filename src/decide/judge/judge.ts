import { type CrashState, foldCrash, noCrash } from './crash.ts'
import { type Counts, type EvidenceWindow, addCounts, checkWindow, noCounts, shareOf, tallyOf } from './evidence.ts'
import { type MetricState, type Tolerance, emptyMetric, foldMetric, proofOf, tolerated } from './metric.ts'

export { type Counts, type EvidenceWindow, evidenceWindowMs } from './evidence.ts'
export type { Tolerance } from './metric.ts'

/** Null: not judged. */
export interface JudgePolicy {
  readonly errors: Tolerance | null
  readonly slow: Tolerance | null
}

/**
 * `Fail`: worse than tolerated. `Pass`: proven to be no worse. `Inconclusive`: neither is shown. `NoData`: the candidate was
 * asked nothing, which is neither good nor bad.
 */
export type Verdict = 'Pass' | 'Fail' | 'Inconclusive' | 'NoData'

/** Chance of a `Fail`, at any look, for a candidate that is just within what is tolerated; for each metric. */
export const alarmRisk = 0.05
/** Chance of a `Pass` for one that is just outside; for each metric. */
export const proofRisk = 0.05

/** Evidence against chance, as a bet would have won it: 1 says nothing. */
export interface Evidence {
  readonly reached: number
  readonly needed: number
}

export interface MetricJudgement {
  readonly metric: 'Errors' | 'Slow'
  readonly verdict: Verdict
  readonly candidate: { readonly requests: number; readonly bad: number; readonly share: number | null }
  readonly stable: { readonly requests: number; readonly bad: number; readonly share: number | null }
  /** The share that is tolerated, from all the stable revision did. */
  readonly bound: number
  /** Windows in which the candidate was above what is tolerated. */
  readonly badWindows: number
  /** That it is worse than tolerated. */
  readonly alarm: Evidence
  /** That it is no worse. */
  readonly proof: Evidence
}

export interface Judgement {
  readonly verdict: Verdict
  /** Errors that no healthy service shows, in two windows in a row. */
  readonly crashed: boolean
  readonly metrics: readonly MetricJudgement[]
  readonly totals: { readonly candidate: Counts; readonly stable: Counts }
  readonly windows: number
}

/** Plain data, below 2 KB as JSON. Belongs to one policy: another policy begins with `emptyJudge`. */
export interface JudgeState {
  readonly windows: number
  readonly totals: { readonly candidate: Counts; readonly stable: Counts }
  readonly errors: MetricState
  readonly slow: MetricState
  readonly crash: CrashState
}

export const emptyJudge: JudgeState = {
  windows: 0,
  totals: { candidate: noCounts, stable: noCounts },
  errors: emptyMetric,
  slow: emptyMetric,
  crash: noCrash,
}

const metrics = [
  { metric: 'Errors', field: 'errors' },
  { metric: 'Slow', field: 'slow' },
] as const

/** Windows come in order, each once, and do not overlap. */
export function foldEvidence(state: JudgeState, window: EvidenceWindow, policy: JudgePolicy): JudgeState {
  checkWindow(window)
  const { candidate, stable, durationMs } = window
  const fold = (metric: 'Errors' | 'Slow', before: MetricState, tolerance: Tolerance | null): MetricState => {
    if (tolerance === null) return before
    const tallies = { candidate: tallyOf(candidate, metric), stable: tallyOf(stable, metric), durationMs }
    return foldMetric(before, tallies, tolerance)
  }
  return {
    windows: state.windows + 1,
    totals: { candidate: addCounts(state.totals.candidate, candidate), stable: addCounts(state.totals.stable, stable) },
    errors: fold('Errors', state.errors, policy.errors),
    slow: fold('Slow', state.slow, policy.slow),
    crash: policy.errors === null ? state.crash : foldCrash(state.crash, window, policy.errors),
  }
}

export function judge(state: JudgeState, policy: JudgePolicy): Judgement {
  const judged = metrics.flatMap(({ metric, field }) => {
    const tolerance = policy[field]
    return tolerance === null ? [] : [judgeMetric(metric, state[field], tolerance)]
  })
  const { crashed } = state.crash
  const verdicts = judged.map(({ verdict }) => verdict)
  const verdict: Verdict =
    state.totals.candidate.requests === 0
      ? 'NoData'
      : crashed || verdicts.includes('Fail')
        ? 'Fail'
        : verdicts.every((each) => each === 'Pass')
          ? 'Pass'
          : 'Inconclusive'
  return { verdict, crashed, metrics: judged, totals: state.totals, windows: state.windows }
}

function judgeMetric(metric: 'Errors' | 'Slow', state: MetricState, tolerance: Tolerance): MetricJudgement {
  const candidate = { ...state.candidate, share: shareOf(state.candidate) }
  const stable = { ...state.stable, share: shareOf(state.stable) }
  const bound = tolerated(state.stable, tolerance)
  const alarm = { reached: state.alarm, needed: 1 / alarmRisk }
  const proof = { reached: proofOf(state), needed: 1 / proofRisk }
  const verdict: Verdict =
    candidate.share === null
      ? 'NoData'
      : alarm.reached >= alarm.needed
        ? 'Fail'
        : proof.reached >= proof.needed && candidate.share <= bound
          ? 'Pass'
          : 'Inconclusive'
  return { metric, verdict, candidate, stable, bound, badWindows: state.badWindows, alarm, proof }
}

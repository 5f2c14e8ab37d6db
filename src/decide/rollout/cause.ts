import type { Judgement, MetricJudgement } from '../judge/judge.ts'
import type { RolloutPlan } from './plan.ts'
import type { Cause } from './state.ts'

/**
 * The candidate serves nobody, or only errors: its weight goes at once, before anything else. A replica that cannot start is not
 * among them: others of its revision may serve.
 */
export const hardReasons: ReadonlySet<Cause['reason']> = new Set(['Crashed', 'Unavailable'])

/** What a judgement says against the candidate, with its numbers; undefined when it says nothing. */
export function describeFailure(plan: RolloutPlan, { verdict, crashed, metrics }: Judgement): Cause | undefined {
  if (verdict !== 'Fail') return undefined
  const failed = crashed
    ? metrics.filter(({ metric }) => metric === 'Errors')
    : metrics.filter((metric) => metric.verdict === 'Fail')
  const hint = failed.some(({ metric }) => metric === 'Slow')
    ? 'the new model takes longer, or its replicas have too little CPU: compare with `towline bench NAME`'
    : 'its logs name the errors: `towline logs`'
  return {
    reason: crashed ? 'Crashed' : 'AnalysisFailed',
    message: failed.map((metric) => describeMetric(plan, metric)).join('; '),
    hint,
  }
}

/** `slow answers: 31 of 418 (7.4 %) of revision 4, 9 of 7940 (0.1 %) of revision 3; at most 2 % is tolerated`. */
export function describeMetric({ stable, candidate }: RolloutPlan, judged: MetricJudgement): string {
  const what = judged.metric === 'Errors' ? 'errors' : 'slow answers'
  const of = (revision: number, { requests, bad, share }: MetricJudgement['candidate']): string =>
    `${bad} of ${requests}${share === null ? '' : ` (${formatShare(share)})`} of revision ${revision}`
  return `${what}: ${of(candidate, judged.candidate)}, ${of(stable, judged.stable)}; at most ${formatShare(judged.bound)} is tolerated`
}

/** Two digits that count: `0.13 %`, `2 %`, `37 %`. */
export function formatShare(share: number): string {
  const percent = share * 100
  return `${Number(percent.toPrecision(percent >= 10 ? 3 : 2))} %`
}

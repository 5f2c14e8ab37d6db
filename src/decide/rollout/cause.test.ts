import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeAfter, provenBad, provenGood, samplePlan, windowOf } from '../../../test/kit/rollout-fixtures.ts'
import { type MetricJudgement, emptyJudge, judge } from '../judge/judge.ts'
import { describeFailure, describeMetric, formatShare, hardReasons } from './cause.ts'

const plan = samplePlan()
const { policy } = plan
const slow: MetricJudgement = {
  metric: 'Slow',
  verdict: 'Fail',
  candidate: { requests: 418, bad: 31, share: 31 / 418 },
  stable: { requests: 7940, bad: 9, share: 9 / 7940 },
  bound: 0.02,
  badWindows: 7,
  alarm: { reached: 25, needed: 20 },
  proof: { reached: 0, needed: 20 },
}
const errors: MetricJudgement = { ...slow, metric: 'Errors', verdict: 'Pass' }

test('a metric is told with counts, shares, whose they are and what is tolerated', () => {
  assert.equal(
    describeMetric(plan, slow),
    'slow answers: 31 of 418 (7.4 %) of revision 4, 9 of 7940 (0.11 %) of revision 3; at most 2 % is tolerated',
  )
  const silent = { ...errors, stable: { requests: 0, bad: 0, share: null } }
  assert.match(describeMetric(plan, silent), /^errors: 31 of 418 \(7\.4 %\) of revision 4, 0 of 0 of revision 3;/)
})

test('a share has two digits that count, three from 10 % on', () => {
  assert.deepEqual([0, 0.0013, 0.02, 0.074, 0.1234, 0.37, 1].map(formatShare), [
    '0 %',
    '0.13 %',
    '2 %',
    '7.4 %',
    '12.3 %',
    '37 %',
    '100 %',
  ])
})

test('only a failure is one', () => {
  for (const state of [emptyJudge, provenGood, judgeAfter(1, windowOf(400))])
    assert.equal(describeFailure(plan, judge(state, policy.judge)), undefined)
})

test('errors above what is tolerated are told with the numbers of all evidence', () => {
  assert.deepEqual(describeFailure(plan, judge(provenBad, policy.judge)), {
    reason: 'AnalysisFailed',
    message: 'errors: 320 of 4000 (8 %) of revision 4, 0 of 36000 (0 %) of revision 3; at most 1 % is tolerated',
    hint: 'its logs name the errors: `towline logs`',
  })
})

test('two windows of mostly errors are a crash, though chance could still be the reason of one', () => {
  const judged = judge(judgeAfter(2, windowOf(20, 15)), policy.judge)
  const cause = describeFailure(plan, judged)
  assert.equal(cause?.reason, 'Crashed')
  assert.match(cause.message, /^errors: 30 of 40 \(75 %\) of revision 4/)
  assert.equal(describeFailure(plan, judge(judgeAfter(1, windowOf(20, 15)), policy.judge)), undefined)
})

test('of two metrics the one that failed is told, and slowness has its own way out', () => {
  const counts = { requests: 1, errors: 0, slow: 0 }
  const judgement = {
    verdict: 'Fail',
    crashed: false,
    metrics: [errors, slow],
    totals: { candidate: counts, stable: counts },
    windows: 7,
  } as const
  const cause = describeFailure(plan, judgement)
  assert.equal(cause?.message, describeMetric(plan, slow))
  assert.match(cause.hint ?? '', /towline bench/)
  const both = describeFailure(plan, { ...judgement, metrics: [{ ...errors, verdict: 'Fail' }, slow] })
  assert.equal(both?.message, `${describeMetric(plan, errors)}; ${describeMetric(plan, slow)}`)
})

test('who serves nobody, or only errors, loses its weight at once; who is only worse does not', () => {
  assert.deepEqual([hardReasons.has('Crashed'), hardReasons.has('Unavailable')], [true, true])
  assert.deepEqual([hardReasons.has('AnalysisFailed'), hardReasons.has('ByHand')], [false, false])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Counts,
  type EvidenceWindow,
  type JudgePolicy,
  type JudgeState,
  emptyJudge,
  foldEvidence,
  judge,
} from './judge.ts'

const policy: JudgePolicy = { errors: { ratio: 1.25, floor: 0.01 }, slow: { ratio: 1.25, floor: 0.02 } }
const counts = (requests: number, errors = 0, slow = 0): Counts => ({ requests, errors, slow })
const window = (candidate: Counts, stable: Counts): EvidenceWindow => ({ durationMs: 10_000, candidate, stable })
const times = (number: number, each: EvidenceWindow): EvidenceWindow[] => Array.from({ length: number }, () => each)
const fold = (windows: readonly EvidenceWindow[], from = emptyJudge, by = policy): JudgeState =>
  windows.reduce((state, each) => foldEvidence(state, each, by), from)

const anyCounts = fc
  .tuple(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([requests, errors, slow]) =>
    counts(requests, Math.floor(requests * errors ** 4), Math.floor(requests * slow ** 4)),
  )
const anyWindows = fc.array(
  fc.record({ durationMs: fc.integer({ min: 1000, max: 60_000 }), candidate: anyCounts, stable: anyCounts }),
  { maxLength: 40 },
)
const anyPolicy = fc
  .tuple(fc.constantFrom(1, 1.25, 3), fc.constantFrom(0, 0.01, 0.5, 1))
  .map(([ratio, floor]): JudgePolicy => ({ errors: { ratio, floor }, slow: { ratio, floor } }))

test('a candidate that nobody asked is unknown: it neither passes nor fails, whatever the stable revision does', () => {
  assert.equal(judge(emptyJudge, policy).verdict, 'NoData')
  fc.assert(
    fc.property(anyWindows, anyPolicy, (windows, policy) => {
      const silent = windows.map((each) => ({ ...each, candidate: counts(0) }))
      const { verdict, metrics } = judge(fold(silent, emptyJudge, policy), policy)
      assert.equal(verdict, 'NoData')
      assert.ok(metrics.every((metric) => metric.verdict === 'NoData' && metric.candidate.share === null))
    }),
  )
})

test('a healthy candidate passes, one with triple errors fails, and little traffic is inconclusive', () => {
  const healthy = window(counts(100, 0, 1), counts(900, 4, 9))
  const tripled = window(counts(100, 2, 1), counts(900, 4, 9))
  assert.equal(judge(fold(times(60, healthy)), policy).verdict, 'Pass')
  assert.equal(judge(fold(times(60, tripled)), policy).verdict, 'Fail')
  assert.equal(judge(fold(times(60, window(counts(2), counts(18)))), policy).verdict, 'Inconclusive')
})

test('it passes only if both metrics do, and fails if one does', () => {
  const slow = times(60, window(counts(100, 0, 8), counts(900, 4, 9)))
  const judged = judge(fold(slow), policy)
  assert.deepEqual([judged.verdict, ...judged.metrics.map(({ verdict }) => verdict)], ['Fail', 'Pass', 'Fail'])
  const onlyErrors = { ...policy, slow: null }
  assert.equal(judge(fold(slow, emptyJudge, onlyErrors), onlyErrors).verdict, 'Pass')
})

test('the numbers behind a verdict are there to be checked', () => {
  const { metrics, totals, windows } = judge(fold(times(30, window(counts(100, 2), counts(900, 9)))), policy)
  assert.equal(windows, 30)
  assert.deepEqual(totals, { candidate: counts(3000, 60), stable: counts(27_000, 270) })
  const [errors] = metrics
  assert.deepEqual(errors?.candidate, { requests: 3000, bad: 60, share: 0.02 })
  assert.deepEqual(errors?.stable, { requests: 27_000, bad: 270, share: 0.01 })
  assert.equal(errors?.bound, 0.0125)
  assert.equal(errors?.badWindows, 30)
  assert.equal(errors?.alarm.needed, 20)
  assert.ok((errors?.alarm.reached ?? 0) > 20)
  assert.ok((errors?.proof.reached ?? 1) < 1)
})

test('one window, however bad, fails nothing, and neither do two that a burst lies across', () => {
  const before = fold(times(20, window(counts(100), counts(900, 5))))
  for (const start of [emptyJudge, before])
    for (const lost of [1, 2]) {
      const burst = fold(times(lost, window(counts(100, 40, 100), counts(900, 5))), start)
      assert.equal(judge(burst, policy).verdict, 'Inconclusive')
    }
  fc.assert(
    fc.property(anyWindows, anyPolicy, anyCounts, anyCounts, (windows, policy, candidate, stable) => {
      const good = windows.map((each) => ({ ...each, candidate: counts(each.candidate.requests) }))
      const state = fold([...good, window(candidate, stable)], emptyJudge, policy)
      assert.notEqual(judge(state, policy).verdict, 'Fail')
    }),
  )
})

test('a crash fails at once', () => {
  const crash = judge(fold(times(2, window(counts(20, 20), counts(900)))), policy)
  assert.deepEqual([crash.verdict, crash.crashed], ['Fail', true])
})

test('more errors of the candidate never lower the alarm', () => {
  fc.assert(
    fc.property(anyWindows, anyPolicy, fc.nat(50), fc.nat(), (windows, policy, more, place) => {
      const worse = windows.map((each, index) =>
        index === place % windows.length
          ? { ...each, candidate: { ...each.candidate, errors: each.candidate.errors + more } }
          : each,
      )
      const alarmOf = (seen: readonly EvidenceWindow[]): number =>
        judge(fold(seen, emptyJudge, policy), policy).metrics[0]?.alarm.reached ?? NaN
      assert.ok(alarmOf(worse) >= alarmOf(windows) * (1 - 1e-9))
    }),
  )
})

test('a state that was stored and read gives the same, stays small, and an alarm stays an alarm', () => {
  fc.assert(
    fc.property(anyWindows, anyPolicy, fc.nat(40), (windows, policy, cut) => {
      const first = fold(windows.slice(0, cut), emptyJudge, policy)
      const stored = JSON.stringify(first)
      assert.ok(stored.length < 2048)
      const read = JSON.parse(stored) as JudgeState
      assert.deepEqual(read, first)
      const end = judge(fold(windows.slice(cut), read, policy), policy)
      assert.deepEqual(end, judge(fold(windows, emptyJudge, policy), policy))
      if (judge(first, policy).verdict === 'Fail') assert.equal(end.verdict, 'Fail')
    }),
  )
})

test('a stable revision without traffic proves nothing against the candidate, and the floor still proves for it', () => {
  const alone = times(200, window(counts(100, 3), counts(0)))
  assert.equal(judge(fold(alone), policy).verdict, 'Inconclusive')
  assert.equal(judge(fold(times(60, window(counts(100), counts(0)))), policy).verdict, 'Pass')
})

test('a number that is none is refused before it spoils the state', () => {
  assert.throws(() => foldEvidence(emptyJudge, window(counts(NaN), counts(1)), policy), /holds NaN/)
  assert.throws(() => foldEvidence(emptyJudge, window(counts(1), counts(-1)), policy), /holds -1/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleAnalysis, sampleAtMs, sampleRollout, sampleService } from '../../../test/kit/rollout-sample.ts'
import type { RolloutStatus } from '../../control/api.ts'
import { nothingTold, tellEnd, tellRollout } from './rollout-story.ts'

function tell(...looks: readonly (RolloutStatus | null)[]): string[] {
  let told = nothingTold
  return looks.flatMap((rollout) => {
    const look = tellRollout(told, sampleService({ rollout }), sampleAtMs)
    told = look.told
    return look.rows.map((row) => row.trim())
  })
}

const ready = { wanted: 1, ready: 1, weight: null }
const seen = { wanted: 1, ready: 1, weight: { written: 5, requests: { stable: 7940, candidate: 418 } } }
const pause = { message: 'step 2 waits for a person', sinceMs: sampleAtMs } as const

test('the plan comes first, with revisions, models and weights', () => {
  assert.deepEqual(tell(sampleRollout()), [
    'plan         cats: revision 3 → 4   model sha256 7793a8… → c01d44…   canary 5 % → 25 % → 100 %',
  ])
})

test('a look in which nothing was reached adds no row', () => {
  assert.equal(tell(sampleRollout(), sampleRollout(), sampleRollout({ candidate: { ...ready, ready: 0 } })).length, 1)
  assert.deepEqual(tell(null, null), [])
})

test('the first ready replica is told once, with the time it took', () => {
  const rows = tell(sampleRollout(), sampleRollout({ candidate: ready }), sampleRollout({ candidate: ready }))
  assert.deepEqual(rows.slice(1), ['revision 4   1/1 ready in 1.3 s'])
})

test('a step that is left shows its weight as written and as observed, and what came of it', () => {
  const baking = sampleRollout({ phase: 'Baking', step: 1, candidate: seen })
  const left = sampleRollout({ phase: 'Scaling', step: 2, candidate: seen, analysis: sampleAnalysis(418, 31) })
  assert.deepEqual(tell(baking, left).slice(1), [
    '5 %          written 5 %   observed 5.0 %   418 requests   errors 0   slow 31 (stable: errors 1, slow 9 of 7940)',
  ])
})

test('a second step shows only what it saw itself', () => {
  const first = { phase: 'Baking', candidate: seen, analysis: sampleAnalysis(418, 31) } as const
  const rows = tell(
    sampleRollout({ ...first, step: 1 }),
    sampleRollout({ ...first, step: 2 }),
    sampleRollout({ phase: 'Promoting', step: null, candidate: seen, analysis: sampleAnalysis(500, 33) }),
  )
  assert.match(rows.at(-1) ?? '', /^25 % .* 82 requests {3}errors 0 {3}slow 2 /)
})

test('a verdict is told once, with the numbers behind it', () => {
  const fail = sampleRollout({ phase: 'Baking', step: 1, analysis: { ...sampleAnalysis(418, 31), verdict: 'Fail' } })
  const aborting = sampleRollout({
    ...fail,
    phase: 'Aborting',
    cause: { reason: 'AnalysisFailed', message: 'too slow', hint: null },
  })
  const rows = tell(sampleRollout({ step: 1 }), fail, aborting, aborting)
  assert.deepEqual(rows.slice(1), [
    'judge        FAIL   it is worse than tolerated   after 7 windows',
    'slow answers: 31 of 418 (7.4 %) new, 9 of 7940 (0.11 %) stable; tolerated at most 2 %; alarm 0.3 of 20, proof 4.1 of 20',
    'abort        AnalysisFailed, back to revision 3',
  ])
})

test('a pause and its end are told', () => {
  const at = { phase: 'Paused', step: 2 } as const
  const rows = tell(
    sampleRollout({ step: 2 }),
    sampleRollout({ ...at, pause: { ...pause, reason: 'Manual' } }),
    sampleRollout({ ...at, pause: { ...pause, reason: 'Manual' } }),
    sampleRollout({ step: 2 }),
  )
  assert.deepEqual(rows.slice(1), [
    'paused       at step 2 of 2 (25 %), Manual: step 2 waits for a person',
    'resumed      the rollout goes on',
  ])
})

test('the end names the revision that serves and how long it took', () => {
  const ended = {
    id: 'plan-1',
    kind: 'Canary',
    from: 3,
    to: 4,
    modelDigest: '',
    startedAtMs: 0,
    endedAtMs: 72_000,
  } as const
  assert.match(tellEnd({ ...ended, outcome: 'Promoted', cause: null }), /promoted +revision 4 serves.*1 m 12 s/)
  assert.match(
    tellEnd({ ...ended, outcome: 'Aborted', cause: null }),
    /turned back +revision 3 serves with full capacity/,
  )
})

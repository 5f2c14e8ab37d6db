import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bakingAt,
  recordDuring,
  rollingPlan,
  rolloutOf,
  sampleCause,
  samplePlan,
  revisionOfFour,
  serviceOfFour,
  startMs,
  stateAt,
} from '../../../test/kit/rollout-fixtures.ts'
import type { RolloutPlan } from '../../decide/rollout/plan.ts'
import type { Cause } from '../../decide/rollout/state.ts'
import type { ServiceRecord } from '../state/records.ts'
import { endRollout } from './end-rollout.ts'

const promoted = stateAt({ phase: 'Done', outcome: 'Promoted', cause: null })
const aborted = (reason: Cause['reason']) => stateAt({ phase: 'Done', outcome: 'Aborted', cause: sampleCause(reason) })
const canary = serviceOfFour({ steps: [{ weight: 10 }] })

function end(
  state: typeof promoted,
  change: Partial<ServiceRecord> = {},
  plan: RolloutPlan = samplePlan(),
): Partial<ServiceRecord> {
  const rollout = rolloutOf(plan, state)
  return endRollout(recordDuring(rollout, { applied: canary, ...change }), rollout, startMs)
}

test('a promoted revision is the stable one, has served, and the one before stands ready for 5 min', () => {
  const after = end(promoted)
  assert.deepEqual([after.rollout, after.stable], [null, 4])
  assert.equal(after.revisions?.find(({ number }) => number === 4)?.proven, true)
  assert.deepEqual(after.warm, [{ revision: 3, replicas: 4, untilMs: startMs + 300_000 }])
  assert.ok(!('target' in after) && !('rejected' in after))
  assert.deepEqual(after.history, [
    {
      id: 'plan-1',
      kind: 'Canary',
      from: 3,
      to: 4,
      modelDigest: 'sha256:4',
      startedAtMs: startMs - 60_000,
      endedAtMs: startMs,
      outcome: 'Promoted',
      cause: null,
    },
  ])
})

test('nothing stands ready where replicas were replaced one by one, had no room, or the spec keeps none', () => {
  const warm = [{ revision: 2, replicas: 4, untilMs: startMs + 1000 }]
  assert.deepEqual(end(promoted, { warm }, rollingPlan()).warm, [])
  assert.deepEqual(end(promoted, { warm }, samplePlan({ surge: 'Swap' })).warm, [])
  const none = serviceOfFour({ steps: [{ weight: 10 }], warmRevisions: 0 })
  assert.deepEqual(end(promoted, { warm, applied: none }).warm, [])
})

test('of the revisions that stand ready the newest stay, as many as the spec says', () => {
  const warm = [
    { revision: 4, replicas: 1, untilMs: startMs + 1000 },
    { revision: 2, replicas: 4, untilMs: startMs + 1000 },
    { revision: 1, replicas: 4, untilMs: startMs + 1000 },
  ]
  const two = serviceOfFour({ steps: [{ weight: 10 }], warmRevisions: 2 })
  const after = end(promoted, { warm, applied: two }).warm
  assert.deepEqual(
    after?.map(({ revision }) => revision),
    [3, 2],
  )
})

test('an aborted revision is rejected with its cause, and the stable one is wanted again', () => {
  const warm = [3, 4].map((revision) => ({ revision, replicas: 4, untilMs: startMs + 1000 }))
  const cause = { ...sampleCause('AnalysisFailed'), hint: 'look at its logs' }
  const after = end(stateAt({ phase: 'Done', outcome: 'Aborted', cause }), { warm })
  assert.deepEqual([after.rollout, after.target, after.stable], [null, 3, undefined])
  assert.deepEqual(after.rejected, { revision: 4, hash: 'hash-4', cause, atMs: startMs })
  assert.deepEqual(after.lastFailure, { ...cause, atMs: startMs })
  assert.deepEqual(after.warm, warm.slice(0, 1))
  assert.deepEqual([after.history?.[0]?.outcome, after.history?.[0]?.cause], ['Aborted', cause])
})

test('what a newer spec has taken the place of is neither rejected nor a failure, and the newer one stays wanted', () => {
  const newer = { target: 5, revisions: [3, 4, 5].map((number) => revisionOfFour(number, { proven: number === 3 })) }
  for (const state of [aborted('Superseded'), aborted('AnalysisFailed')]) {
    const after = end(state, newer)
    assert.ok(!('target' in after) && !('rejected' in after) && !('lastFailure' in after))
  }
  // Applied, replaced, and applied again while it was still on its way out.
  assert.ok(!('target' in end(aborted('Superseded'))))
})

test('a rollback that is turned back rejects neither revision, and forgets which one it was to reject', () => {
  const plan = samplePlan({ kind: 'Switch', stable: 3, candidate: 2, steps: [] })
  const given = { revision: 3, hash: 'hash-3', cause: sampleCause('ByHand'), atMs: 0 }
  const after = end(aborted('ByHand'), { target: 2, rejected: given }, plan)
  assert.deepEqual([after.target, after.rejected, after.lastFailure?.reason], [3, null, 'ByHand'])
})

test('a rollback that came to its end leaves rejected what it went away from', () => {
  const plan = samplePlan({ kind: 'Switch', stable: 3, candidate: 2, steps: [] })
  const given = { revision: 3, hash: 'hash-3', cause: sampleCause('ByHand'), atMs: 0 }
  const after = end(promoted, { target: 2, rejected: given }, plan)
  assert.equal(after.stable, 2)
  assert.ok(!('rejected' in after))
})

test('the last twenty rollouts are remembered, the oldest first', () => {
  const entry = end(promoted).history?.[0]
  assert.ok(entry)
  const history = Array.from({ length: 20 }, (_, index) => ({ ...entry, id: `plan-${index}` }))
  const after = end(promoted, { history }, samplePlan({ id: 'plan-20' })).history
  assert.deepEqual([after?.length, after?.[0]?.id, after?.at(-1)?.id], [20, 'plan-1', 'plan-20'])
})

test('what goes on is not ended', () => {
  assert.throws(() => end(stateAt(bakingAt(0))), /plan-1 is not over/)
})

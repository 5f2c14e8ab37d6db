import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bakingAt,
  pauseOf,
  recordDuring,
  rolloutOf,
  sampleCause,
  samplePlan,
  recordOfThree,
  revisionOfFour,
  serviceOfFour,
  startMs,
  stateAt,
} from '../../../test/kit/rollout-fixtures.ts'
import type { TowlineError } from '../../base/errors.ts'
import type { EndedRollout, ServiceRecord } from '../state/records.ts'
import { type ServiceOrder, orderService } from './orders.ts'

const nowMs = startMs + 5000
const tell = (record: ServiceRecord, order: ServiceOrder) => orderService(record, order, nowMs)
function order(record: ServiceRecord, order: ServiceOrder): ServiceRecord {
  const effect = tell(record, order)
  assert.ok(effect.kind === 'Change', JSON.stringify(effect))
  return { ...record, ...effect.change }
}
function assertNothing(record: ServiceRecord, order: ServiceOrder, why: string): void {
  assert.deepEqual(tell(record, order), { kind: 'Nothing', why })
}
function assertRefused(record: ServiceRecord, order: ServiceOrder, said: RegExp): void {
  assert.throws(
    () => tell(record, order),
    (error: TowlineError) => error.code === 'TL_ROLLOUT_REFUSED' && said.test(`${error.message} ${error.hint ?? ''}`),
  )
}

const rollback = (to: number | null = null, from: number | null = null): ServiceOrder => ({
  verb: 'Rollback',
  from,
  to,
})
const abort = (plan: string | null = null): ServiceOrder => ({ verb: 'Abort', plan })
const promote = (plan: string | null = null): ServiceOrder => ({ verb: 'Promote', plan, step: null, full: false })
const during = recordDuring(rolloutOf(samplePlan(), stateAt(bakingAt(0))))
const still = recordOfThree()
const ended = (outcome: EndedRollout['outcome']): EndedRollout => ({
  id: 'plan-0',
  kind: 'Canary',
  from: 2,
  to: 3,
  modelDigest: 'sha256:3',
  startedAtMs: 0,
  endedAtMs: 1,
  outcome,
  cause: outcome === 'Aborted' ? sampleCause('ByHand') : null,
})

test('an order about the rollout that goes on changes its state and nothing else', () => {
  const after = order(during, promote('plan-1'))
  assert.deepEqual(after, { ...during, rollout: { ...during.rollout, state: stateAt({ phase: 'Scaling', step: 1 }) } })
})

test('said twice, a pause, an abort, a rollback and a promotion of one rollout do nothing the second time', () => {
  const orders: ServiceOrder[] = [
    { verb: 'Pause', plan: null },
    abort(),
    rollback(),
    { verb: 'Promote', plan: 'plan-1', step: 0, full: false },
    { verb: 'Promote', plan: 'plan-1', step: null, full: true },
  ]
  for (const each of orders) assert.equal(tell(order(during, each), each).kind, 'Nothing', each.verb)
})

test('an order that cannot be done is refused with the reason and the way out', () => {
  const manual = recordDuring(rolloutOf(samplePlan(), stateAt(bakingAt(0), { pause: pauseOf('Manual') })))
  assertRefused(manual, { verb: 'Resume', plan: null }, /paused: Manual.*towline promote/)
})

test('an order about another rollout never touches the one that goes on', () => {
  const record = { ...during, history: [ended('Promoted')] }
  assertNothing(record, promote('plan-0'), 'the rollout plan-0 is over; the last one, to revision 3, was promoted')
  assertNothing(record, abort('plan-0'), 'the rollout plan-0 is over; the last one, to revision 3, was promoted')
  assertRefused(record, { verb: 'Pause', plan: 'plan-0' }, /was promoted.*towline history/)
})

test('without a rollout an abort has nothing to do, and a promotion only where the last one was promoted', () => {
  assertNothing(still, abort(), 'no rollout is going on; there has been none')
  assertRefused(still, promote(), /there has been none/)
  assert.equal(tell({ ...still, history: [ended('Promoted')] }, promote()).kind, 'Nothing')
  assertRefused({ ...still, history: [ended('Aborted')] }, promote(), /to revision 3, was aborted/)
})

test('a rollback goes to the revision before, in one move, and rejects the one that it leaves', () => {
  const after = order(still, rollback())
  assert.deepEqual([after.target, after.stable, after.lastFailure], [2, 3, null])
  assert.deepEqual(after.rejected, {
    revision: 3,
    hash: 'hash-3',
    cause: {
      reason: 'ByHand',
      message: 'revision 3 was rolled back by hand',
      hint: '`towline retry cats` begins it again',
    },
    atMs: nowMs,
  })
  const { rollout } = after
  assert.ok(rollout)
  assert.deepEqual([rollout.plan.kind, rollout.plan.stable, rollout.plan.candidate], ['Switch', 3, 2])
  assert.deepEqual([rollout.state.position.phase, rollout.startedAtMs], ['Promoting', nowMs])
  assert.match(rollout.plan.id, /^plan-./)
})

test('a rollback can name any revision that is kept and has served, also a newer one', () => {
  assert.equal(order(still, rollback(1)).target, 1)
  const newer = { ...still, stable: 2, target: 2, rejected: null }
  assert.equal(order(newer, rollback(3)).target, 3)
  // Unnamed it goes to an earlier one only, and not to one that was rejected.
  assert.equal(order(newer, rollback()).target, 1)
  const rejected = { revision: 2, hash: 'hash-2', cause: sampleCause('ByHand'), atMs: 0 }
  assert.equal(order({ ...still, rejected }, rollback()).target, 1)
})

test('a rollback during a rollback does nothing, so that the second one does not turn round the first', () => {
  const onItsWay = order(still, rollback())
  for (const again of [rollback(), rollback(2), rollback(null, 3)])
    assertNothing(onItsWay, again, 'it is on its way back to revision 2')
  assertRefused(onItsWay, rollback(1), /its abort ends at revision 3, not 1/)
})

test('a rollback during a rollout is its abort', () => {
  for (const to of [null, 3]) {
    const { rollout, target } = order(during, rollback(to))
    assert.deepEqual([rollout?.state.position.phase, target], ['Aborting', 4])
  }
  assertRefused(during, rollback(1), /its abort ends at revision 3, not 1.*towline abort/)
})

test('a rollback from a revision that no longer serves, or to the one that does, has been done already', () => {
  assertNothing(still, rollback(null, 4), 'revision 3 serves already')
  assertNothing(still, rollback(3), 'revision 3 serves already')
})

test('without a revision to go back to a rollback is refused, naming those that are kept', () => {
  assertRefused(still, rollback(9), /cats has no revision 9 that has served.*kept are 1, 2/)
  const only = { ...still, revisions: [revisionOfFour(3)] }
  assertRefused(only, rollback(), /no earlier revision that has served.*revisionHistoryLimit/)
  const unproven = { ...still, revisions: [revisionOfFour(2, { proven: false }), revisionOfFour(3)] }
  assertRefused(unproven, rollback(), /no earlier revision/)
})

test('a retry is the rejected revision once more, under a new number', () => {
  const rejected = { revision: 4, hash: 'hash-4', cause: sampleCause('AnalysisFailed'), atMs: 0 }
  const failure = { reason: 'AnalysisFailed', message: 'worse', hint: null, atMs: 0 }
  const record = recordDuring(rolloutOf(samplePlan(), stateAt(bakingAt(0))), {
    rollout: null,
    target: 3,
    rejected,
    lastFailure: failure,
  })
  const after = order(record, { verb: 'Retry' })
  assert.deepEqual([after.target, after.stable, after.rejected, after.lastFailure], [5, 3, null, null])
  assert.deepEqual(after.revisions.at(-1), {
    ...revisionOfFour(4, { proven: false }),
    number: 5,
    createdAtMs: nowMs,
  })
  assertRefused(after, { verb: 'Retry' }, /nothing was rejected/)
})

test('a retry of what holds after a failure judges it anew; of what goes on it does nothing', () => {
  const holding = recordDuring(rolloutOf(samplePlan(), stateAt(bakingAt(1), { pause: pauseOf('Failed') })))
  const { rollout } = order(holding, { verb: 'Retry' })
  assert.deepEqual(rollout?.state, stateAt({ phase: 'Scaling', step: 1 }))
  assertNothing(during, { verb: 'Retry' }, 'the rollout to revision 4 is going on')
})

test('a restart is the stable revision under a new number, one replica after the other, and nothing is judged', () => {
  const record = { ...still, applied: serviceOfFour({ steps: [{ weight: 10 }] }) }
  const after = order(record, { verb: 'Restart' })
  assert.deepEqual([after.target, after.stable, after.rejected], [4, 3, null])
  assert.deepEqual(after.revisions.at(-1), {
    ...revisionOfFour(3, { proven: false }),
    number: 4,
    createdAtMs: nowMs,
  })
  assert.deepEqual([after.rollout?.plan.kind, after.rollout?.plan.steps], ['Rolling', []])
  assertRefused(after, { verb: 'Restart' }, /revision 4 is about to replace revision 3/)
})

test('a number is never given twice, also when the revision that had it is forgotten', () => {
  const history = [{ ...ended('Aborted'), to: 8 }]
  assert.equal(order({ ...still, history }, { verb: 'Restart' }).target, 9)
})

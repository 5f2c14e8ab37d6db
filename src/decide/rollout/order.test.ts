import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  abortingAt,
  bakingAt,
  observe,
  pauseOf,
  promotingAt,
  provenBad,
  rollingPlan,
  samplePlan,
  serving,
  startMs,
  stateAt,
} from '../../../test/kit/rollout-fixtures.ts'
import { emptyJudge } from '../judge/judge.ts'
import { type RolloutOrder, takeOrder } from './order.ts'
import type { Pause, Position, RolloutState } from './state.ts'
import { stepRollout } from './step.ts'

const plan = samplePlan()
const nowMs = startMs + 5000
const promote = (step: number | null = null): RolloutOrder => ({ verb: 'Promote', step, full: false })
const promoteFully: RolloutOrder = { verb: 'Promote', step: null, full: true }
const pause: RolloutOrder = { verb: 'Pause' }
const resume: RolloutOrder = { verb: 'Resume' }
const abort: RolloutOrder = { verb: 'Abort' }

function take(state: RolloutState, order: RolloutOrder, of = plan): RolloutState {
  const result = takeOrder(of, state, order, nowMs)
  assert.ok(result.kind === 'Taken', JSON.stringify(result))
  return result.state
}
const tell = (state: RolloutState, order: RolloutOrder, of = plan) => takeOrder(of, state, order, nowMs)
const held = (position: Position, reason: Pause['reason']) => stateAt(position, { pause: pauseOf(reason) })

test('promote goes past a step that has its weight, whatever the analysis says; past the last one to full weight', () => {
  assert.deepEqual(take(stateAt(bakingAt(0)), promote()).position, { phase: 'Scaling', step: 1 })
  assert.deepEqual(take(stateAt(bakingAt(1)), promote()).position, promotingAt('Scaling', 0, nowMs))
  assert.deepEqual(take(held(bakingAt(0), 'Inconclusive'), promote()), stateAt({ phase: 'Scaling', step: 1 }))
})

test('promote is what a manual step waits for, and what a step without traffic can take', () => {
  assert.deepEqual(take(held(bakingAt(0), 'Manual'), promote(0)), stateAt({ phase: 'Scaling', step: 1 }))
  const silent = held({ phase: 'Shifting', step: 0, sinceMs: startMs }, 'NoTraffic')
  assert.deepEqual(take(silent, promote(0)), stateAt({ phase: 'Scaling', step: 1 }))
})

test('promote for a step that is passed does nothing, so that it can be said twice', () => {
  const once = take(stateAt(bakingAt(0)), promote(0))
  assert.deepEqual(tell(once, promote(0)), { kind: 'Nothing', why: 'it is past step 1 already' })
  const full = take(stateAt(bakingAt(1)), promote(1))
  assert.equal(tell(full, promote(1)).kind, 'Nothing')
  assert.equal(tell(stateAt({ phase: 'Rolling', moved: 1 }), promote(), rollingPlan()).kind, 'Nothing')
})

test('promote is refused where there is nothing to go past, or where only a person who overrides the judge may', () => {
  for (const position of [
    { phase: 'Preparing' },
    { phase: 'Scaling', step: 0 },
    { phase: 'Shifting', step: 0, sinceMs: startMs },
  ] as const)
    assert.equal(tell(stateAt(position), promote()).kind, 'Refused', position.phase)
  const failed = tell(held(bakingAt(0), 'Failed'), promote())
  assert.ok(failed.kind === 'Refused')
  assert.deepEqual([failed.why, failed.hint.includes('--full')], ['the analysis failed: paused: Failed', true])
})

test('full promotion passes all steps from wherever it stands; said twice it does nothing the second time', () => {
  const positions = [{ phase: 'Preparing' }, { phase: 'Scaling', step: 0 }, bakingAt(0)] as const
  for (const position of positions) {
    const full = take(held(position, 'ByHand'), promoteFully)
    assert.deepEqual(full, stateAt(promotingAt('Scaling', 0, nowMs)), position.phase)
    assert.equal(tell(full, promoteFully).kind, 'Nothing')
  }
  const swap = samplePlan({ surge: 'Swap' })
  assert.deepEqual(take(stateAt(bakingAt(0)), promoteFully, swap).position, { phase: 'Rolling', moved: 0 })
})

test('full promotion of one that is down begins its time to come back anew', () => {
  assert.equal(take(stateAt(bakingAt(0), { downSinceMs: startMs }), promoteFully).downSinceMs, null)
})

test('where one replica follows the other a failure that holds is resumed or turned back, not promoted', () => {
  const failed = held({ phase: 'Rolling', moved: 2 }, 'Failed')
  for (const order of [promote(), promoteFully]) {
    const result = tell(failed, order, rollingPlan())
    assert.ok(result.kind === 'Refused')
    assert.match(result.hint, /towline resume.*towline abort/)
  }
})

test('replicas that cannot start are not resumed: they would only fail again', () => {
  for (const cause of ['NeverReady', 'SmokeFailed'] as const) {
    const failed = stateAt(bakingAt(0), { pause: { ...pauseOf('Failed'), cause } })
    assert.equal(tell(failed, resume).kind, 'Refused', cause)
  }
  assert.equal(tell(stateAt(bakingAt(0), { pause: { ...pauseOf('Failed'), cause: 'Crashed' } }), resume).kind, 'Taken')
})

test('full promotion overrides what the judge has said, and the next look does not turn back for it', () => {
  const failed = stateAt(bakingAt(0), { pause: pauseOf('Failed'), judge: provenBad, analysedMs: 100_000 })
  const full = take(failed, promoteFully)
  assert.deepEqual([full.pause, full.judge, full.analysedMs], [null, emptyJudge, 0])
  assert.equal(stepRollout(plan, full, observe({ candidate: serving(1) })), full)
})

test('a pause by hand holds it where it is; a second one, or one over another pause, does nothing', () => {
  const paused = take(stateAt(bakingAt(0)), pause)
  assert.deepEqual(
    paused,
    stateAt(bakingAt(0), { pause: { reason: 'ByHand', message: 'somebody paused it', sinceMs: nowMs } }),
  )
  assert.deepEqual(tell(paused, pause), { kind: 'Nothing', why: 'it is paused already: somebody paused it' })
  assert.equal(tell(held(bakingAt(0), 'Manual'), pause).kind, 'Nothing')
})

test('what is paused by hand on its way to full weight is not promoted by saying so again', () => {
  for (const [position, of] of [
    [promotingAt('Baking'), plan],
    [{ phase: 'Rolling', moved: 1 }, rollingPlan()],
  ] as const)
    for (const order of [promote(), promoteFully])
      assert.equal(tell(held(position, 'ByHand'), order, of).kind, 'Refused', position.phase)
})

test('resume ends a pause by hand and one for silence, and their limits begin anew', () => {
  for (const reason of ['ByHand', 'NoTraffic'] as const) {
    const shifting = held({ phase: 'Shifting', step: 0, sinceMs: startMs }, reason)
    assert.deepEqual(take(shifting, resume), stateAt({ phase: 'Shifting', step: 0, sinceMs: nowMs }))
    const silent = held(bakingAt(0, { bakedMs: 20_000, requests: 9, silentMs: 60_000 }), reason)
    assert.deepEqual(take(silent, resume), stateAt(bakingAt(0, { bakedMs: 20_000, requests: 9 })))
  }
  assert.deepEqual(tell(stateAt(bakingAt(0)), resume), { kind: 'Nothing', why: 'it is not paused' })
})

test('resume gives an inconclusive analysis its time once more, and keeps its evidence', () => {
  const baked = bakingAt(1, { bakedMs: 60_000, requests: 500 })
  const open = stateAt(baked, { pause: pauseOf('Inconclusive'), judge: provenBad, analysedMs: 600_000 })
  assert.deepEqual(take(open, resume), stateAt(baked, { judge: provenBad }))
})

test('a manual step is not resumed but promoted', () => {
  const refused = tell(held(bakingAt(0), 'Manual'), resume)
  assert.ok(refused.kind === 'Refused')
  assert.match(refused.hint, /towline promote/)
})

test('resume after a failure judges the step anew, and gives it weight again', () => {
  const failed = (position: Position) =>
    stateAt(position, { pause: pauseOf('Failed'), judge: provenBad, analysedMs: 100_000 })
  assert.deepEqual(take(failed(bakingAt(1, { requests: 500 })), resume), stateAt({ phase: 'Scaling', step: 1 }))
  assert.deepEqual(take(failed({ phase: 'Preparing' }), resume), stateAt({ phase: 'Preparing' }))
})

test('resume after a failure at full weight has to earn full weight once more', () => {
  const failed = stateAt(promotingAt('Baking', 30_000), { pause: pauseOf('Failed'), judge: provenBad })
  assert.deepEqual(take(failed, resume), stateAt({ phase: 'Scaling', step: 1 }))
  const back = samplePlan({ kind: 'Switch', steps: [] })
  assert.deepEqual(take(failed, resume, back), stateAt(promotingAt('Scaling', 0, nowMs)))
})

test('an abort ends every pause and turns back; said twice it does nothing', () => {
  const aborted = take(held(bakingAt(0), 'Manual'), abort)
  const { position } = aborted
  assert.ok(position.phase === 'Aborting')
  assert.deepEqual(
    [position.cause.reason, position.stage, position.weight, aborted.pause],
    ['ByHand', 'Restoring', 10, null],
  )
  assert.deepEqual(tell(aborted, abort), { kind: 'Nothing', why: 'the rollout is being aborted' })
})

test('what is over or turns back takes no order any more', () => {
  const over = stateAt({ phase: 'Done', outcome: 'Promoted', cause: null })
  assert.deepEqual(tell(over, abort), { kind: 'Nothing', why: 'the rollout is over' })
  for (const order of [promote(), promoteFully, pause, resume])
    for (const state of [over, stateAt(abortingAt())]) assert.equal(tell(state, order).kind, 'Refused', order.verb)
})

test('whatever it is told wherever it stands, the second time nothing changes', () => {
  const positions = fc.constantFrom<Position>(
    { phase: 'Preparing' },
    { phase: 'Scaling', step: 1 },
    { phase: 'Shifting', step: 0, sinceMs: startMs },
    bakingAt(0, { silentMs: 60_000 }),
    bakingAt(1),
    promotingAt('Baking'),
    abortingAt(),
  )
  const pauses = fc.option(fc.constantFrom<Pause['reason']>('Manual', 'ByHand', 'Inconclusive', 'NoTraffic', 'Failed'))
  // A step is named: without one each promotion means the step it finds.
  const orders = fc.constantFrom(promote(0), promote(1), promoteFully, pause, resume, abort)
  fc.assert(
    fc.property(positions, pauses, orders, (position, reason, order) => {
      const state = stateAt(position, { pause: reason === null ? null : pauseOf(reason) })
      const first = tell(state, order)
      if (first.kind !== 'Taken') return
      const second = tell(first.state, order)
      assert.notEqual(second.kind, 'Taken', `${order.verb} at ${JSON.stringify(state)}`)
    }),
  )
})

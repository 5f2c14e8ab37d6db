import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rollingPlan, samplePlan, serving as revision, stateAt } from '../../../test/kit/rollout-fixtures.ts'
import { planCapacity } from './capacity.ts'
import type { RolloutObservation } from './observation.ts'
import type { Cause, Position } from './state.ts'
import { abortRollout, stepRollout } from './step.ts'

/** What random interleavings and a reading of them found wrong once, each as its smallest case. */

const ids = { stable: 1, candidate: 2 } as const
const canary = samplePlan(ids)
const rolling = rollingPlan(ids)
const look = (change: Partial<RolloutObservation> = {}): RolloutObservation => ({
  nowMs: 1000,
  replicas: 4,
  stable: revision(4),
  candidate: revision(1),
  route: null,
  window: null,
  ...change,
})
const byHand: Cause = { reason: 'ByHand', message: 'm', hint: null }
const swap = { ...canary, surge: 'Swap' } as const
const baking: Position = { phase: 'Baking', step: 1, bakedMs: 0, requests: 0, silentMs: 0 }
const aborting = (stage: 'Restoring' | 'Shifting' | 'Draining', weight: number | null = 10, restored = 0) =>
  ({ phase: 'Aborting', cause: byHand, stage, weight, sinceMs: 0, restored }) as const
const begin = (plan: typeof canary, position: Position, cause: Cause) =>
  abortRollout(plan, stateAt(position), cause, 7).position

function expectStep(
  position: Position,
  seen: Partial<RolloutObservation>,
  next: Position | 'same',
  plan = canary,
): void {
  const before = stateAt(position)
  const after = stepRollout(plan, before, look(seen))
  if (next === 'same') assert.equal(after, before, 'the same object, so that nothing is written')
  else assert.deepEqual(after.position, next)
}

test('an abort waits two minutes for each stable replica, not for all of them together', () => {
  const late = { nowMs: 119_000, stable: revision(4, { ready: 2 }) }
  const { position } = stepRollout(canary, stateAt(aborting('Restoring', 10, 1)), look(late))
  assert.deepEqual(position, { ...aborting('Restoring', 10, 2), sinceMs: 119_000 })
  expectStep(position, { ...late, nowMs: 238_999 }, 'same')
  expectStep(position, { ...late, nowMs: 239_000 }, { ...aborting('Shifting', 10), sinceMs: 239_000 })
})

test('a swap is turned back one by one, and is over when no candidate is left', () => {
  const restoring = { phase: 'Aborting', cause: byHand, stage: 'Restoring', weight: 50, sinceMs: 7, restored: 0 }
  assert.deepEqual(begin(swap, baking, byHand), restoring)
  const done = { phase: 'Done', outcome: 'Aborted', cause: byHand } as const
  expectStep(aborting('Restoring'), { candidate: revision(0) }, done, swap)
})

test('a swap whose candidate answers only errors loses its weight and its places first', () => {
  const crashed = begin(swap, baking, { ...byHand, reason: 'Crashed' })
  assert.equal(crashed.phase === 'Aborting' && crashed.stage, 'Shifting')
  const gone = { stable: revision(2), candidate: revision(0) }
  expectStep(aborting('Draining'), gone, { ...aborting('Restoring'), sinceMs: 1000 }, swap)
})

test('one replica that cannot start does not take those of its revision that serve out of the route', () => {
  const cause: Cause = { ...byHand, reason: 'NeverReady' }
  const restoring = { phase: 'Aborting', cause, stage: 'Restoring', weight: null, sinceMs: 7, restored: 0 }
  assert.deepEqual(begin(rolling, { phase: 'Rolling', moved: 2 }, cause), restoring)
})

test('nobody waits for a stable revision that has never served and does not now', () => {
  const none = { stable: revision(4, { ready: 0, serving: 0 }) }
  const shifting = { ...aborting('Shifting', null), sinceMs: 1000 }
  expectStep(aborting('Restoring', null), none, shifting, { ...rolling, turnsBack: false })
  expectStep(aborting('Restoring', null), none, 'same', rolling)
})

test('full weight is taken back to growing where more are wanted before the gateway has it', () => {
  const at = (stage: 'Scaling' | 'Shifting') => ({ phase: 'Promoting', stage, sinceMs: 1000, bakedMs: 0 }) as const
  const route = { weight: 50, requests: { stable: 0, candidate: 0 } }
  expectStep(at('Shifting'), { candidate: revision(4), replicas: 6, route }, at('Scaling'))
  expectStep(at('Shifting'), { candidate: revision(4), route }, 'same')
})

test('time at full weight does not count while the candidate is down and the stable revision has its weight', () => {
  const position = { phase: 'Promoting', stage: 'Baking', sinceMs: 0, bakedMs: 20_000 } as const
  const counts = { requests: 0, errors: 0, slow: 0 }
  const window = { durationMs: 10_000, candidate: counts, stable: counts }
  const bakedOf = (downSinceMs: number | null) =>
    stepRollout(canary, stateAt(position, { downSinceMs }), look({ candidate: revision(3), window })).position
  assert.deepEqual(bakedOf(500), position)
  assert.deepEqual(bakedOf(null), { ...position, bakedMs: 30_000 })
})

function sizes(plan: typeof canary, position: Position, seen: Partial<RolloutObservation>): number[] {
  const { stable, candidate } = planCapacity(plan, stateAt(position), look(seen))
  return [stable, candidate]
}

test('a restarted engine that knows of nothing in the route does not start all candidates at once', () => {
  const seen = { stable: revision(4, { serving: 0 }), candidate: revision(1, { serving: 0 }) }
  assert.deepEqual(sizes(rolling, { phase: 'Rolling', moved: 0 }, seen), [4, 1])
})

test('at zero replicas, too, what is recreated waits until the old one is gone', () => {
  const recreate = { ...rolling, surge: 'Recreate' } as const
  const draining = { replicas: 0, stable: revision(0, { total: 1 }), candidate: revision(0) }
  assert.deepEqual(sizes(recreate, { phase: 'Rolling', moved: 0 }, draining), [0, 0])
  assert.deepEqual(sizes(recreate, { phase: 'Rolling', moved: 0 }, { ...draining, stable: revision(0) }), [0, 1])
})

test('where a swap goes on to full weight, the candidates it has stay', () => {
  assert.deepEqual(sizes(swap, { phase: 'Rolling', moved: 0 }, { stable: revision(2), candidate: revision(2) }), [1, 2])
})

test('an aborted rolling change keeps stable replicas that are only restarting', () => {
  const seen = { stable: revision(3, { ready: 1, serving: 1 }), candidate: revision(2) }
  assert.deepEqual(sizes(rolling, aborting('Restoring', null), seen), [3, 2])
})

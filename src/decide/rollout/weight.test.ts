import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  abortingAt,
  bakingAt,
  pauseOf,
  promotingAt,
  rollingPlan,
  routeOf,
  sampleCause,
  samplePlan,
  serving,
  startMs,
  stateAt,
} from '../../../test/kit/rollout-fixtures.ts'
import type { Position } from './state.ts'
import { isObserved, planWeight } from './weight.ts'

const plan = samplePlan()
const seen = { stable: serving(4), candidate: serving(4) }
const weightAt = (position: Position): number | null => planWeight(plan, stateAt(position), seen)
const done = { phase: 'Done', outcome: 'Promoted', cause: null } as const

test('a candidate that grows has the weight of the step before, and its own once it is shifted', () => {
  const weights = [
    weightAt({ phase: 'Preparing' }),
    weightAt({ phase: 'Scaling', step: 0 }),
    weightAt({ phase: 'Shifting', step: 0, sinceMs: startMs }),
    weightAt(bakingAt(0)),
    weightAt({ phase: 'Scaling', step: 1 }),
    weightAt(bakingAt(1)),
    weightAt(promotingAt('Scaling')),
    weightAt(promotingAt('Shifting')),
    weightAt(promotingAt('Baking')),
    weightAt(done),
  ]
  assert.deepEqual(weights, [0, 0, 10, 10, 10, 50, 50, 100, 100, 100])
})

test('a switch has no weight before it has all of it', () => {
  const back = samplePlan({ kind: 'Switch', steps: [] })
  assert.equal(planWeight(back, stateAt(promotingAt('Scaling')), seen), 0)
  assert.equal(planWeight(back, stateAt(promotingAt('Shifting')), seen), 100)
})

test('where one replica follows the other all are alike, and stay so while the stable ones come back', () => {
  const rolling = rollingPlan()
  assert.equal(planWeight(rolling, stateAt({ phase: 'Rolling', moved: 2 }), seen), null)
  assert.equal(planWeight(rolling, stateAt(abortingAt({ weight: null })), seen), null)
  assert.equal(planWeight(rolling, stateAt(abortingAt({ stage: 'Shifting', weight: null })), seen), 0)
})

test('an abort keeps the weight until the stable revision can carry everything, then there is none', () => {
  const weights = (['Restoring', 'Shifting', 'Draining'] as const).map((stage) => weightAt(abortingAt({ stage })))
  assert.deepEqual(weights, [10, 0, 0])
  assert.equal(weightAt({ phase: 'Done', outcome: 'Aborted', cause: sampleCause('ByHand') }), 0)
})

test('a candidate that nobody can reach has no weight, whatever is planned', () => {
  const gone = { stable: serving(4), candidate: serving(4, { ready: 0 }) }
  for (const position of [bakingAt(1), promotingAt('Baking'), abortingAt()])
    assert.equal(planWeight(plan, stateAt(position), gone), 0)
})

test('a failure that is looked at has no weight; other pauses keep it', () => {
  const paused = (reason: Parameters<typeof pauseOf>[0]) =>
    planWeight(plan, stateAt(bakingAt(1), { pause: pauseOf(reason) }), seen)
  assert.equal(paused('Failed'), 0)
  for (const reason of ['Manual', 'ByHand', 'Inconclusive', 'NoTraffic'] as const) assert.equal(paused(reason), 50)
  assert.equal(planWeight(plan, stateAt(promotingAt('Baking'), { pause: pauseOf('Failed') }), seen), 0)
  const rolling = stateAt({ phase: 'Rolling', moved: 2 }, { pause: pauseOf('Failed') })
  assert.equal(planWeight(rollingPlan(), rolling, seen), null)
})

test('candidates that make room on the way back carry no more than those that are left can', () => {
  const swap = samplePlan({ surge: 'Swap' })
  const carried = (stable: number, candidate: number) =>
    planWeight(swap, stateAt(abortingAt({ weight: 50 })), { stable: serving(stable), candidate: serving(candidate) })
  assert.deepEqual([carried(2, 2), carried(3, 1), carried(4, 0)], [50, 25, 0])
})

test('a weight is seen when requests follow it within three standard deviations, two requests always forgiven', () => {
  const cases = [
    [10, 0, 0, false],
    [10, 10, 0, false],
    [10, 0, 1, true],
    [10, 90, 10, true],
    [10, 900, 100, true],
    // 3 * sqrt(100) = 30.
    [10, 870, 130, true],
    [10, 869, 131, false],
    [10, 930, 70, true],
    [10, 931, 69, false],
    [1, 8, 2, true],
    [1, 7, 3, false],
    [50, 1000, 10, false],
  ] as const
  for (const [weight, stable, candidate, observed] of cases) {
    const route = routeOf(weight, stable, candidate)
    assert.equal(route !== null && isObserved(weight, route), observed, `${candidate} beside ${stable} at ${weight} %`)
  }
})

test('a gateway that follows its weight exactly is seen to do so, from the first request on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100_000 }), (weight, total) => {
      const candidate = Math.max(1, Math.round((total * weight) / 100))
      assert.ok(isObserved(weight, { weight, requests: { candidate, stable: total - candidate } }))
    }),
  )
})

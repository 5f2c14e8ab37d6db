import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  abortingAt,
  bakingAt,
  observe,
  promotingAt,
  rollingPlan,
  sampleCause,
  samplePlan,
  sampleStep,
  serving,
  startMs,
  stateAt,
} from '../../../test/kit/rollout-fixtures.ts'
import { fullSize, planCapacity, stepSize } from './capacity.ts'
import type { RevisionObservation, RolloutObservation } from './observation.ts'
import type { RolloutPlan } from './plan.ts'
import type { Position } from './state.ts'

const canary = samplePlan()
const rolling = rollingPlan()
const swap = rollingPlan({ surge: 'Swap' })
const done = { phase: 'Done', outcome: 'Promoted', cause: null } as const

function sizes(plan: RolloutPlan, position: Position, seen: Partial<RolloutObservation> = {}): [number, number] {
  const { stable, candidate } = planCapacity(plan, stateAt(position), observe(seen))
  return [stable, candidate]
}

const starting = (count: number): RevisionObservation => serving(count, { ready: 0, serving: 0 })
/** So many serve, and one more drains. */
const draining = (count: number): RevisionObservation => serving(count, { total: count + 1 })

test('a step has as many candidates as carry its weight as lightly as the stable replicas carry theirs', () => {
  const full = 10
  const size = (weight: number) => stepSize(samplePlan({ steps: [sampleStep(weight)] }), 0, full)
  assert.deepEqual([1, 10, 25, 50, 90, 100].map(size), [1, 2, 4, 10, 10, 10])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 200 }), (weight, full) => {
      const candidates = stepSize(samplePlan({ steps: [sampleStep(weight)] }), 0, full)
      assert.ok(candidates >= 1 && candidates <= full)
      if (candidates < full) assert.ok(weight / candidates <= (100 - weight) / full + 1e-9)
    }),
  )
})

test('beside the stable revision the candidate grows by step, and the stable one keeps its size to the end', () => {
  const path: [Position, [number, number]][] = [
    [{ phase: 'Preparing' }, [4, 1]],
    [{ phase: 'Scaling', step: 0 }, [4, 1]],
    [bakingAt(0), [4, 1]],
    [{ phase: 'Scaling', step: 1 }, [4, 4]],
    [{ phase: 'Shifting', step: 1, sinceMs: startMs }, [4, 4]],
    [promotingAt('Scaling'), [4, 4]],
    [promotingAt('Baking'), [4, 4]],
    [done, [0, 4]],
  ]
  for (const [position, expected] of path) assert.deepEqual(sizes(canary, position), expected, position.phase)
})

test('a canary is compared with no fewer than there were at its start, and with more where there are more', () => {
  assert.deepEqual(sizes(canary, { phase: 'Scaling', step: 1 }, { replicas: 1 }), [4, 4])
  assert.deepEqual(sizes(canary, { phase: 'Scaling', step: 1 }, { replicas: 7 }), [7, 7])
  assert.deepEqual(sizes(canary, done, { replicas: 1 }), [0, 4])
  assert.equal(fullSize(rolling, { replicas: 1 }), 1)
})

test('an abort keeps the candidate until the stable revision has full size and the weight is gone', () => {
  const seen = { stable: serving(4), candidate: serving(3) }
  const stages = (['Restoring', 'Shifting', 'Draining'] as const).map((stage) =>
    sizes(canary, abortingAt({ stage }), seen),
  )
  assert.deepEqual(stages, [
    [4, 3],
    [4, 3],
    [4, 0],
  ])
  assert.deepEqual(sizes(canary, { phase: 'Done', outcome: 'Aborted', cause: sampleCause('ByHand') }), [4, 0])
})

test('one after the other: one more than there should be, and a stable one goes for each that was moved', () => {
  const at = (moved: number, seen: Partial<RolloutObservation> = {}) =>
    sizes(rolling, { phase: 'Rolling', moved }, { stable: serving(4 - moved), candidate: serving(moved), ...seen })
  assert.deepEqual(
    [at(0), at(1), at(2), at(3)],
    [
      [4, 1],
      [3, 2],
      [2, 3],
      [1, 4],
    ],
  )
  assert.deepEqual(
    sizes(rolling, { phase: 'Rolling', moved: 4 }, { stable: serving(1), candidate: serving(4) }),
    [0, 4],
  )
})

test('a shrinking service keeps the stable replicas that serve while a candidate that was moved is gone', () => {
  const at = { phase: 'Rolling', moved: 2 } as const
  const gone = { replicas: 2, stable: serving(2), candidate: starting(2) }
  assert.deepEqual(sizes(rolling, at, gone), [2, 2])
  assert.deepEqual(sizes(rolling, at, { ...gone, candidate: serving(2, { ready: 1, serving: 1 }) }), [1, 2])
  assert.deepEqual(sizes(rolling, at, { ...gone, candidate: serving(2) }), [0, 2])
})

test('where no stable replica can serve all candidates start at once', () => {
  const first = rollingPlan({ turnsBack: false })
  const seen = { stable: starting(4), candidate: serving(0) }
  assert.equal(sizes(first, { phase: 'Rolling', moved: 0 }, seen)[1], 4)
  // Ready and not in the route, as after a restart of the engine: that is no reason to hurry.
  const unrouted = { stable: serving(4, { serving: 0 }), candidate: serving(0) }
  assert.equal(sizes(rolling, { phase: 'Rolling', moved: 0 }, unrouted)[1], 1)
})

test('a service at zero starts one candidate to prove that it serves, and no stable replica', () => {
  const none = { replicas: 0, stable: serving(0), candidate: serving(0) }
  const empty = { leastReplicas: 0 }
  assert.deepEqual(sizes(rollingPlan(empty), { phase: 'Rolling', moved: 0 }, none), [0, 1])
  const back = samplePlan({ kind: 'Switch', steps: [], ...empty })
  assert.deepEqual(sizes(back, promotingAt('Scaling'), none), [0, 1])
  assert.deepEqual(sizes(back, done, none), [0, 0])
  const recreate = rollingPlan({ surge: 'Recreate', ...empty })
  assert.deepEqual(sizes(recreate, { phase: 'Rolling', moved: 0 }, none), [0, 1])
})

test('with no room beside it a stable replica goes first, then its candidate starts, and the next one stays until that one is ready', () => {
  const at = { phase: 'Rolling', moved: 0 } as const
  const moments: [RevisionObservation, RevisionObservation, [number, number]][] = [
    // One is told to go; nothing starts while it is there.
    [serving(4), serving(0), [3, 0]],
    [draining(3), serving(0), [3, 0]],
    [serving(3), serving(0), [3, 1]],
    [serving(3), starting(1), [3, 1]],
    // Ready: the next one goes, and once more its place is empty before it is taken.
    [serving(3), serving(1), [2, 1]],
    [draining(2), serving(1), [2, 1]],
    [serving(2), serving(1), [2, 2]],
    [serving(1), serving(3), [0, 3]],
    [serving(0), serving(3), [0, 4]],
  ]
  for (const [stable, candidate, expected] of moments)
    assert.deepEqual(sizes(swap, at, { stable, candidate }), expected, JSON.stringify([stable, candidate]))
})

test('places that are empty for another reason go to one candidate alone: the stable ones come back', () => {
  assert.deepEqual(sizes(swap, { phase: 'Rolling', moved: 0 }, { stable: serving(1), candidate: serving(0) }), [3, 1])
})

test('a swapping canary takes as many places as its step, and always leaves a stable replica', () => {
  const plan = samplePlan({ surge: 'Swap' })
  assert.deepEqual(
    [0, 1].map((step) => stepSize(plan, step, 4)),
    [1, 2],
  )
  assert.equal(stepSize(samplePlan({ surge: 'Swap', steps: [sampleStep(99)] }), 0, 4), 3)
  assert.deepEqual(sizes(plan, { phase: 'Scaling', step: 1 }, { stable: serving(3), candidate: serving(1) }), [2, 1])
  assert.deepEqual(sizes(plan, { phase: 'Scaling', step: 1 }, { stable: serving(2), candidate: serving(2) }), [2, 2])
  // Back to the step's size after a crash of one, without a place too many.
  assert.deepEqual(sizes(plan, bakingAt(1), { stable: serving(2), candidate: serving(1) }), [2, 2])
})

test('a swap turns back the same way: a candidate goes first, then the stable replica takes its place', () => {
  const back = (stable: RevisionObservation, candidate: RevisionObservation) =>
    sizes(swap, abortingAt({ weight: null }), { stable, candidate })
  assert.deepEqual(back(serving(2), serving(2)), [2, 1])
  assert.deepEqual(back(serving(2), draining(1)), [2, 1])
  assert.deepEqual(back(serving(2), serving(1)), [3, 1])
  assert.deepEqual(back(serving(3, { ready: 2, serving: 2 }), serving(1)), [3, 1])
  assert.deepEqual(back(serving(3), serving(1)), [3, 0])
  assert.deepEqual(back(serving(3), serving(0)), [4, 0])
})

test('whatever a swap looks like, both together never have more places than the service', () => {
  const seenBy = (most: number) =>
    fc
      .tuple(fc.nat(most), fc.nat(most), fc.nat(most), fc.nat(most))
      .map((counts) => counts.toSorted((a, b) => b - a))
      .map(([total = 0, staying = 0, ready = 0, serves = 0]) => ({
        total,
        staying,
        ready,
        serving: serves,
        restarts: 0,
        failure: null,
      }))
  const positions = fc.constantFrom<Position>({ phase: 'Rolling', moved: 0 }, abortingAt({ weight: null }))
  fc.assert(
    fc.property(seenBy(4), seenBy(4), positions, (stable, candidate, position) => {
      fc.pre(stable.total + candidate.total <= 4)
      const planned = planCapacity(swap, stateAt(position), observe({ stable, candidate }))
      const started = Math.max(0, planned.stable - stable.staying) + Math.max(0, planned.candidate - candidate.staying)
      assert.ok(stable.total + candidate.total + started <= 4, JSON.stringify(planned))
    }),
  )
})

test('recreated, all stable replicas are gone before a candidate starts, and the other way round on the way back', () => {
  const recreate = rollingPlan({ surge: 'Recreate' })
  const at = { phase: 'Rolling', moved: 0 } as const
  assert.deepEqual(sizes(recreate, at), [0, 0])
  assert.deepEqual(sizes(recreate, at, { stable: serving(1, { staying: 0 }) }), [0, 0])
  assert.deepEqual(sizes(recreate, at, { stable: serving(0) }), [0, 4])
  const seen = { stable: serving(0), candidate: serving(4) }
  assert.deepEqual(sizes(recreate, abortingAt({ stage: 'Shifting', weight: null }), seen), [0, 4])
  assert.deepEqual(sizes(recreate, abortingAt({ stage: 'Draining', weight: null }), seen), [0, 0])
  assert.deepEqual(sizes(recreate, abortingAt({ weight: null }), { ...seen, candidate: serving(0) }), [4, 0])
})

test('one after the other on the way back: a candidate goes for each stable replica that serves again', () => {
  const back = (stable: RevisionObservation, candidate: RevisionObservation) =>
    sizes(rolling, abortingAt({ weight: null }), { stable, candidate })
  assert.deepEqual(back(serving(2), serving(2)), [3, 2])
  assert.deepEqual(back(serving(3, { ready: 2, serving: 2 }), serving(2)), [3, 2])
  assert.deepEqual(back(serving(3), serving(2)), [4, 1])
  assert.deepEqual(back(serving(4), serving(1)), [4, 0])
  // Those that only restart are not too many.
  assert.deepEqual(back(serving(3, { ready: 1, serving: 1 }), serving(2)), [3, 2])
  // No candidate serves: nobody waits for one after the other.
  assert.deepEqual(back(serving(1), starting(2)), [4, 2])
})

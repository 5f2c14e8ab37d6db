import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  abortingAt,
  bakingAt,
  observe,
  pauseOf,
  promotingAt,
  provenBad,
  provenGood,
  rollingPlan,
  routeOf,
  sampleCause,
  samplePlan,
  sampleStep,
  serving,
  startMs,
  stateAt,
  windowOf,
} from '../../../test/kit/rollout-fixtures.ts'
import { emptyJudge } from '../judge/judge.ts'
import type { RolloutObservation } from './observation.ts'
import { takeOrder } from './order.ts'
import type { Position, RolloutState } from './state.ts'
import { abortRollout, goOn, startRollout, stepRollout, toFullWeight } from './step.ts'

const plan = samplePlan()
const one = serving(1)
const step = (position: Position, seen: Partial<RolloutObservation>, of = plan): Position =>
  stepRollout(of, stateAt(position), observe(seen)).position

/** Waits, and says so by giving back what it was given. */
function assertWaits(state: RolloutState, seen: Partial<RolloutObservation>, of = plan): void {
  assert.equal(stepRollout(of, state, observe(seen)), state)
}

test('a canary begins with one replica, a rolling one with none moved, a switch with full size', () => {
  assert.deepEqual(startRollout(plan, startMs).position, { phase: 'Preparing' })
  assert.deepEqual(startRollout(rollingPlan(), startMs).position, { phase: 'Rolling', moved: 0 })
  assert.deepEqual(startRollout(samplePlan({ kind: 'Switch', steps: [] }), startMs).position, promotingAt('Scaling'))
})

test('a canary that has proven to serve grows to its step, then gets its weight', () => {
  const preparing = stateAt({ phase: 'Preparing' })
  assertWaits(preparing, { candidate: serving(1, { ready: 0, serving: 0 }) })
  assert.deepEqual(step(preparing.position, { candidate: one }), { phase: 'Scaling', step: 0 })
  const scaling = stateAt({ phase: 'Scaling', step: 1 })
  assertWaits(scaling, { candidate: serving(4, { ready: 3 }) })
  assert.deepEqual(step(scaling.position, { candidate: serving(4) }), { phase: 'Shifting', step: 1, sinceMs: startMs })
})

test('a weight counts once the gateway has confirmed it and requests show it', () => {
  const shifting = stateAt({ phase: 'Shifting', step: 0, sinceMs: startMs })
  const waits = [null, routeOf(null), routeOf(0, 90, 10), routeOf(10), routeOf(10, 100, 0)]
  for (const route of waits) assertWaits(shifting, { candidate: one, route })
  assert.deepEqual(step(shifting.position, { candidate: one, route: routeOf(10, 90, 10) }), bakingAt(0))
})

test('a weight that nobody asks for in 60 s is without traffic, and goes on when a request comes', () => {
  const shifting = stateAt({ phase: 'Shifting', step: 0, sinceMs: startMs })
  assertWaits(shifting, { candidate: one, route: routeOf(10, 9), nowMs: startMs + 59_999 })
  const nowMs = startMs + 60_000
  const held = stepRollout(plan, shifting, observe({ candidate: one, route: routeOf(10, 9), nowMs }))
  assert.deepEqual(held.pause, { reason: 'NoTraffic', message: '9 requests came within 60 s', sinceMs: nowMs })
  assertWaits(held, { candidate: one, route: routeOf(10, 9), nowMs: nowMs + 1000 })
  const again = stepRollout(plan, held, observe({ candidate: one, route: routeOf(10, 9, 1), nowMs: nowMs + 2000 }))
  assert.equal(again.pause, null)
  assert.deepEqual(again.position, { phase: 'Shifting', step: 0, sinceMs: nowMs + 2000 })
})

test('a weight that requests do not follow within 60 s turns the rollout back', () => {
  const shifting: Position = { phase: 'Shifting', step: 0, sinceMs: startMs }
  const route = routeOf(10, 500, 0)
  assertWaits(stateAt(shifting), { candidate: one, route, nowMs: startMs + 59_999 })
  const position = step(shifting, { candidate: one, route, nowMs: startMs + 60_000 })
  assert.ok(position.phase === 'Aborting')
  assert.equal(position.cause.reason, 'WeightNotObserved')
  assert.equal(position.cause.message, '0 of 500 requests reached revision 4, where 10 % should')
  // A gateway that does not answer says nothing about requests.
  assertWaits(stateAt(shifting), { candidate: one, route: null, nowMs: startMs + 600_000 })
})

test('a manual step has its weight and then waits for a person, however long; what it serves is judged meanwhile', () => {
  const manual = samplePlan({ steps: [sampleStep(10, true), sampleStep(50)] })
  const shifting = stateAt({ phase: 'Shifting', step: 0, sinceMs: startMs })
  const seen = { candidate: one, route: routeOf(10, 90, 10) }
  const held = stepRollout(manual, shifting, observe(seen))
  assert.deepEqual(held, {
    ...stateAt(bakingAt(0)),
    pause: { reason: 'Manual', message: 'step 1 waits for a person', sinceMs: startMs },
  })
  const dayLater = { ...seen, nowMs: startMs + 86_400_000 }
  assertWaits(held, dayLater, manual)
  const judged = stepRollout(manual, held, observe({ ...dayLater, window: windowOf(400) }))
  assert.deepEqual([judged.pause, judged.analysedMs, judged.judge.windows], [held.pause, 0, 1])
  const alarmed = stepRollout(manual, { ...held, judge: provenBad }, observe(dayLater))
  assert.equal(alarmed.position.phase, 'Aborting')
})

test('evidence counts its time, its requests and its silence', () => {
  const first = stepRollout(plan, stateAt(bakingAt(0)), observe({ candidate: one, window: windowOf(40) }))
  assert.deepEqual(first.position, bakingAt(0, { bakedMs: 10_000, requests: 40 }))
  assert.deepEqual([first.analysedMs, first.judge.totals.candidate.requests], [10_000, 40])
  const silent = stepRollout(plan, first, observe({ candidate: one, window: windowOf(0) }))
  assert.deepEqual(silent.position, bakingAt(0, { bakedMs: 10_000, requests: 40, silentMs: 10_000 }))
  const heard = stepRollout(plan, silent, observe({ candidate: one, window: windowOf(1) }))
  assert.deepEqual(heard.position, bakingAt(0, { bakedMs: 20_000, requests: 41 }))
})

test('60 s of silence at a weight hold it until a request comes', () => {
  const baking = stateAt(bakingAt(0, { silentMs: 50_000 }))
  const held = stepRollout(plan, baking, observe({ candidate: one, window: windowOf(0) }))
  assert.deepEqual([held.pause?.reason, held.pause?.message], ['NoTraffic', 'no request came for revision 4 in 60 s'])
  const still = stepRollout(plan, held, observe({ candidate: one, window: windowOf(0) }))
  assert.equal(still.pause?.reason, 'NoTraffic')
  const again = stepRollout(plan, still, observe({ candidate: one, window: windowOf(3) }))
  assert.equal(again.pause, null)
  assert.deepEqual(again.position, bakingAt(0, { requests: 3 }))
})

test('an early step goes on when it is baked and has seen enough requests, without proof', () => {
  const seen = { candidate: one }
  assertWaits(stateAt(bakingAt(0, { bakedMs: 59_999, requests: 1000 })), seen)
  assertWaits(stateAt(bakingAt(0, { bakedMs: 60_000, requests: 99 })), seen)
  const next = step(bakingAt(0, { bakedMs: 60_000, requests: 100 }), seen)
  assert.deepEqual(next, { phase: 'Scaling', step: 1 })
})

test('an early step waits while its plain share of errors is worse than tolerated, though nothing is proven', () => {
  const baked = bakingAt(0, { bakedMs: 50_000, requests: 100 })
  const seen = { candidate: one, window: windowOf(100, 2) }
  const waiting = stepRollout(plan, stateAt(baked), observe(seen))
  assert.deepEqual(waiting.position, bakingAt(0, { bakedMs: 60_000, requests: 200 }))
  const better = stepRollout(plan, waiting, observe({ candidate: one, window: windowOf(100) }))
  assert.deepEqual(better.position, { phase: 'Scaling', step: 1 })
})

test('full weight takes proof: the last step waits for it past its bake', () => {
  const seen = { candidate: serving(4) }
  const baked = bakingAt(1, { bakedMs: 300_000, requests: 5000 })
  assertWaits(stateAt(baked), seen)
  assert.deepEqual(
    stepRollout(plan, stateAt(baked, { judge: provenGood }), observe(seen)).position,
    promotingAt('Scaling'),
  )
  const early = bakingAt(1, { bakedMs: 59_999, requests: 5000 })
  assertWaits(stateAt(early, { judge: provenGood }), seen)
})

test('evidence that fails turns back, with the weight kept until the stable revision can carry everything', () => {
  const state = stateAt(bakingAt(1), { judge: provenBad })
  const { position, pause } = stepRollout(plan, state, observe({ candidate: serving(4) }))
  assert.ok(position.phase === 'Aborting')
  assert.deepEqual(
    [position.stage, position.weight, position.cause.reason, pause],
    ['Restoring', 50, 'AnalysisFailed', null],
  )
})

test('a failure that is to be looked at holds without turning back, and is not found again', () => {
  const holding = samplePlan({}, { onFailure: 'Pause' })
  const state = stateAt(bakingAt(1), { judge: provenBad })
  const held = stepRollout(holding, state, observe({ candidate: serving(4) }))
  assert.equal(held.position, state.position)
  assert.equal(held.pause?.reason, 'Failed')
  assert.match(held.pause.message, /^errors: 320 of 4000/)
  // Without weight it has no evidence either.
  assertWaits(held, { candidate: serving(4), nowMs: startMs + 3_600_000, window: windowOf(400) }, holding)
})

test('without proof by the time the analysis may take, a person decides', () => {
  const seen = { candidate: one }
  const short = stateAt(bakingAt(0, { bakedMs: 60_000, requests: 42 }), { analysedMs: 600_000 })
  const held = stepRollout(plan, short, observe(seen))
  assert.equal(held.position, short.position)
  assert.equal(held.pause?.reason, 'Inconclusive')
  assert.equal(held.pause.message, 'after 10 min of analysis step 1 has seen 42 of the 100 requests it needs')
  const unproven = stateAt(bakingAt(1, { bakedMs: 60_000, requests: 420 }), { analysedMs: 600_000 })
  const { pause } = stepRollout(plan, unproven, observe({ candidate: serving(4) }))
  assert.equal(pause?.message, 'after 10 min of analysis the evidence proves it neither good nor bad')
  const back = samplePlan({}, { onInconclusive: 'Rollback' })
  const { position } = stepRollout(back, unproven, observe({ candidate: serving(4) }))
  assert.equal(position.phase === 'Aborting' && position.cause.reason, 'Inconclusive')
})

test('a pause by hand stops every step, but no alarm', () => {
  const pause = pauseOf('ByHand')
  for (const position of [{ phase: 'Preparing' }, { phase: 'Scaling', step: 0 }, bakingAt(0)] as const)
    assertWaits(stateAt(position, { pause }), { candidate: serving(4), nowMs: startMs + 3_600_000 })
  const failing = serving(1, { ready: 0, failure: sampleCause('NeverReady') })
  const aborted = stepRollout(plan, stateAt({ phase: 'Scaling', step: 0 }, { pause }), observe({ candidate: failing }))
  assert.deepEqual([aborted.position.phase, aborted.pause], ['Aborting', null])
})

test('a candidate with weight may be down for 20 s, not longer', () => {
  const down = { candidate: serving(1, { ready: 0, serving: 0 }) }
  const noted = stepRollout(plan, stateAt(bakingAt(0)), observe(down))
  assert.equal(noted.downSinceMs, startMs)
  assertWaits(noted, { ...down, nowMs: startMs + 19_999 })
  const { position } = stepRollout(plan, noted, observe({ ...down, nowMs: startMs + 20_000 }))
  assert.ok(position.phase === 'Aborting')
  assert.deepEqual([position.cause.reason, position.stage], ['Unavailable', 'Shifting'])
  assert.match(position.cause.message, /revision 4 has been ready for 20 s/)
  const back = stepRollout(plan, noted, observe({ candidate: one, nowMs: startMs + 5000 }))
  // The window in which it was down goes on, and is evidence.
  assert.deepEqual(back, stateAt(bakingAt(0)))
})

test('a candidate whose processes end by themselves three times is taken back, however short each time was', () => {
  const twice = stateAt(bakingAt(0))
  assertWaits(twice, { candidate: serving(1, { restarts: 2 }) })
  const { position } = stepRollout(plan, twice, observe({ candidate: serving(1, { restarts: 3 }) }))
  assert.ok(position.phase === 'Aborting')
  assert.deepEqual([position.cause.reason, position.stage], ['Crashed', 'Shifting'])
  assert.match(position.cause.message, /processes of revision 4 ended by themselves 3 times/)
  const nothingElse = { ...plan, turnsBack: false }
  assert.equal(stepRollout(nothingElse, twice, observe({ candidate: serving(1, { restarts: 9 }) })), twice)
})

test('crashes that a person has looked at are forgiven: who tries again may end three times more', () => {
  const holding = samplePlan({}, { onFailure: 'Pause' })
  const seen = (restarts: number) => observe({ candidate: serving(1, { restarts }), nowMs: startMs + 1000 })
  const held = stepRollout(holding, stateAt(bakingAt(0)), seen(3))
  assert.equal(held.pause?.cause, 'Crashed')
  const orders = [{ verb: 'Resume' }, { verb: 'Promote', step: null, full: true }] as const
  for (const order of orders) {
    const again = takeOrder(holding, held, order, startMs)
    assert.ok(again.kind === 'Taken', order.verb)
    assert.equal(stepRollout(holding, again.state, seen(5)).pause, null, order.verb)
    assert.equal(stepRollout(holding, again.state, seen(6)).pause?.cause, 'Crashed', order.verb)
  }
})

test('a candidate without weight is not missed while it starts', () => {
  const down = { candidate: serving(1, { ready: 0, serving: 0 }), nowMs: startMs + 3_600_000 }
  assertWaits(stateAt({ phase: 'Preparing' }), down)
  assertWaits(stateAt({ phase: 'Scaling', step: 0 }), down)
})

test('at full weight it has full size, is confirmed, baked and judged, and only then counts as stable', () => {
  const full = { candidate: serving(4) }
  assertWaits(stateAt(promotingAt('Scaling')), { candidate: serving(3) })
  assert.deepEqual(step(promotingAt('Scaling'), full), promotingAt('Shifting'))
  assertWaits(stateAt(promotingAt('Shifting')), { ...full, route: routeOf(50) })
  assert.deepEqual(step(promotingAt('Shifting'), { ...full, route: routeOf(100) }), promotingAt('Baking'))
  const baked = step(promotingAt('Baking', 40_000), { ...full, window: windowOf(4000) })
  assert.deepEqual(baked, promotingAt('Baking', 50_000))
  assertWaits(stateAt(promotingAt('Baking', 59_999)), full)
  // More are wanted than when the weight was decided, and the gateway has not taken it yet.
  assert.deepEqual(step(promotingAt('Shifting'), { ...full, replicas: 6, route: routeOf(50) }), promotingAt('Scaling'))
  assertWaits(stateAt(promotingAt('Baking', 60_000)), { candidate: serving(3) })
  const done = { phase: 'Done', outcome: 'Promoted', cause: null }
  assert.deepEqual(step(promotingAt('Baking', 60_000), full), done)
  const failed = stepRollout(plan, stateAt(promotingAt('Baking', 60_000), { judge: provenBad }), observe(full))
  assert.equal(failed.position.phase === 'Aborting' && failed.position.weight, 100)
})

test('a switch has served before: it neither bakes nor waits for evidence', () => {
  const back = samplePlan({ kind: 'Switch', steps: [] })
  const done = { phase: 'Done', outcome: 'Promoted', cause: null }
  assert.deepEqual(step(promotingAt('Baking'), { candidate: serving(4) }, back), done)
  assertWaits(stateAt(promotingAt('Baking')), { candidate: serving(3) }, back)
})

test('after the last step the rest of a canary without room beside it is replaced one by one', () => {
  const swap = samplePlan({ surge: 'Swap' })
  assert.deepEqual(
    goOn(swap, stateAt(bakingAt(1), { pause: pauseOf('Manual') }), startMs),
    stateAt({ phase: 'Rolling', moved: 0 }),
  )
  assert.deepEqual(toFullWeight(plan, stateAt(bakingAt(0)), startMs).position, promotingAt('Scaling'))
})

test('one replica after the other is moved, and the end is when all serve and no stable one does', () => {
  const rolling = rollingPlan()
  const at = (moved: number): Position => ({ phase: 'Rolling', moved })
  assertWaits(stateAt(at(1)), { stable: serving(3), candidate: one }, rolling)
  // Ready is not enough: the gateway must have it.
  assertWaits(stateAt(at(0)), { candidate: serving(1, { serving: 0 }) }, rolling)
  assert.deepEqual(step(at(0), { candidate: one }, rolling), at(1))
  assert.deepEqual(step(at(0), { candidate: serving(3) }, rolling), at(1))
  assertWaits(stateAt(at(4)), { stable: serving(1), candidate: serving(3) }, rolling)
  // Full size early, as after fewer are wanted: the stable ones go one by one all the same.
  assert.deepEqual(step(at(1), { stable: serving(3), candidate: serving(4) }, rolling), at(2))
  const done = { phase: 'Done', outcome: 'Promoted', cause: null }
  assert.deepEqual(step(at(4), { stable: serving(0), candidate: serving(4) }, rolling), done)
})

test('a service at zero moves when one candidate has served', () => {
  const rolling = rollingPlan({ leastReplicas: 0 })
  const none = { replicas: 0, stable: serving(0) }
  assertWaits(stateAt({ phase: 'Rolling', moved: 0 }), none, rolling)
  const moved = step({ phase: 'Rolling', moved: 0 }, { ...none, candidate: one }, rolling)
  assert.deepEqual(moved, { phase: 'Done', outcome: 'Promoted', cause: null })
})

test('a first revision has nothing to turn back to: it is tried for as long as it takes', () => {
  const first = rollingPlan({ turnsBack: false })
  const failing = serving(4, { ready: 0, serving: 0, failure: sampleCause('NeverReady') })
  assertWaits(stateAt({ phase: 'Rolling', moved: 0 }), { stable: serving(0), candidate: failing }, first)
  const { position } = stepRollout(
    rollingPlan(),
    stateAt({ phase: 'Rolling', moved: 0 }),
    observe({ candidate: failing }),
  )
  assert.deepEqual(position.phase === 'Aborting' && [position.cause.reason, position.weight], ['NeverReady', null])
})

test('an abort waits for the stable revision, then takes the weight, then ends the candidate', () => {
  const restoring = stateAt(abortingAt())
  assertWaits(restoring, { stable: serving(0), candidate: one, nowMs: startMs + 119_999 })
  assert.deepEqual(step(abortingAt(), { candidate: one }), abortingAt({ stage: 'Shifting' }))
  const shifting = stateAt(abortingAt({ stage: 'Shifting' }))
  for (const route of [null, routeOf(10), routeOf(null)]) assertWaits(shifting, { candidate: one, route })
  assert.deepEqual(step(shifting.position, { candidate: one, route: routeOf(0) }), abortingAt({ stage: 'Draining' }))
  const draining = stateAt(abortingAt({ stage: 'Draining' }))
  assertWaits(draining, { candidate: serving(1, { staying: 0 }) })
  assert.deepEqual(step(draining.position, {}), { phase: 'Done', outcome: 'Aborted', cause: sampleCause('ByHand') })
})

test('120 s without another stable replica that comes back are enough to wait', () => {
  const stuck = { stable: serving(2), candidate: one }
  const noted = stepRollout(plan, stateAt(abortingAt()), observe({ ...stuck, nowMs: startMs + 100_000 }))
  assert.deepEqual(noted.position, abortingAt({ restored: 2, sinceMs: startMs + 100_000 }))
  assertWaits(noted, { ...stuck, nowMs: startMs + 219_999 })
  const nowMs = startMs + 220_000
  const given = stepRollout(plan, noted, observe({ ...stuck, nowMs }))
  assert.deepEqual(given.position, abortingAt({ stage: 'Shifting', sinceMs: nowMs }))
})

test('where both share the places an abort restores when the candidate is gone, and ends when the stable one is back', () => {
  const baking = stateAt(bakingAt(1))
  const swap = samplePlan({ surge: 'Swap' })
  const recreate = rollingPlan({ surge: 'Recreate' })
  const stageOf = (of: typeof plan, reason: Parameters<typeof sampleCause>[0]) => {
    const { position } = abortRollout(of, baking, sampleCause(reason), startMs)
    return position.phase === 'Aborting' && position.stage
  }
  assert.deepEqual(
    [stageOf(swap, 'ByHand'), stageOf(swap, 'Crashed'), stageOf(recreate, 'ByHand')],
    ['Restoring', 'Shifting', 'Shifting'],
  )
  const done = { phase: 'Done', outcome: 'Aborted', cause: sampleCause('ByHand') }
  for (const shared of [swap, recreate]) {
    assert.deepEqual(step(abortingAt({ stage: 'Draining' }), { stable: serving(0) }, shared), abortingAt())
    assert.deepEqual(step(abortingAt(), {}, shared), done)
  }
})

test('a stable revision that has never served, and does not now, is not waited for', () => {
  const gone = { stable: serving(4, { ready: 0, serving: 0 }), candidate: one }
  const first = rollingPlan({ turnsBack: false })
  assert.deepEqual(step(abortingAt({ weight: null }), gone, first), abortingAt({ stage: 'Shifting', weight: null }))
  assertWaits(stateAt(abortingAt({ weight: null })), gone, rollingPlan())
})

test('while the candidate is down the stable revision has its weight, and time at full weight does not count', () => {
  const down = { candidate: serving(4, { ready: 0 }), window: windowOf(0), nowMs: startMs + 10_000 }
  const { position } = stepRollout(
    plan,
    stateAt(promotingAt('Baking', 20_000), { downSinceMs: startMs }),
    observe(down),
  )
  assert.deepEqual(position, promotingAt('Baking', 20_000))
})

test('whatever is seen, a rollout that is over stays as it is', () => {
  const done = stateAt({ phase: 'Done', outcome: 'Promoted', cause: null })
  assertWaits(done, { candidate: serving(0, { failure: sampleCause('NeverReady') }), window: windowOf(9, 9) })
})

test('what is judged is only what carries weight: evidence of other moments is left alone', () => {
  const window = windowOf(400, 32)
  const positions = [{ phase: 'Preparing' }, { phase: 'Scaling', step: 0 }, { phase: 'Rolling', moved: 4 }] as const
  for (const position of positions) assertWaits(stateAt(position), { window, candidate: serving(0) })
  const { judge } = stepRollout(
    rollingPlan(),
    stateAt(promotingAt('Baking')),
    observe({ window, candidate: serving(4) }),
  )
  assert.equal(judge, emptyJudge)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../test/kit/random.ts'
import { type Nature, RolloutModel, type WindowKind } from '../../../test/kit/rollout-model.ts'
import type { RolloutOrder } from './order.ts'
import type { RolloutPlan } from './plan.ts'

const walks = Number(process.env['TOWLINE_MODEL_WALKS'] ?? 20_000)
const looksInWalk = 14

type Pick = <T>(choices: readonly T[]) => T

function choosePlan(pick: Pick): RolloutPlan {
  const kind = pick(['Rolling', 'Canary', 'Canary', 'Switch'] as const)
  const surge =
    kind === 'Switch' ? 'Surge' : pick(['Surge', 'Surge', 'Swap', kind === 'Rolling' ? 'Recreate' : 'Swap'] as const)
  const step = (weight: number, manual = false) => ({ weight, bakeMs: 10_000, manual })
  const steps = pick([[step(5), step(50)], [step(30)], [step(60), step(80)], [step(10, true), step(50)]])
  return {
    id: 'plan-a',
    kind,
    stable: 1,
    candidate: 2,
    surge,
    steps: kind === 'Canary' ? steps : [],
    policy: {
      bakeMs: 10_000,
      minRequests: 100,
      maxTimeMs: 60_000,
      judge: { errors: { ratio: 1.25, floor: 0.1 }, slow: null },
      onFailure: pick(['Rollback', 'Rollback', 'Pause']),
      onInconclusive: pick(['Rollback', 'Pause']),
    },
    turnsBack: true,
    leastReplicas: pick([2, 3, 4, 5]),
  }
}

const orders: readonly RolloutOrder[] = [
  { verb: 'Promote', step: null, full: false },
  { verb: 'Promote', step: 0, full: false },
  { verb: 'Promote', step: null, full: true },
  { verb: 'Pause' },
  { verb: 'Resume' },
  { verb: 'Abort' },
]

function happen(model: RolloutModel, pick: Pick): void {
  const { stable, candidate } = model.plan
  pick<() => void>([
    () => undefined,
    () => undefined,
    () => model.crashOne(stable, pick([0, 1, 2])),
    () => model.crashOne(candidate, pick([0, 1, 2])),
    () => model.order(pick(orders)),
    () => model.order(pick(orders)),
    () => model.supersede(),
    () => model.restartEngine(),
    () => model.loseAnswer(pick(['Lost', 'Unreachable'])),
    () => model.silence(pick([true, false])),
    () => model.pass(pick([5000, 25_000, 70_000, 130_000])),
    () => (model.replicas = pick([0, 1, 2, 3, 5, 6])),
  ])()
}

function walk(seed: number): RolloutModel {
  const random = createRandom(seed)
  const pick: Pick = (choices) => choices[Math.floor(random() * choices.length)] as (typeof choices)[number]
  const nature = pick<Nature>(['Healthy', 'Healthy', 'Healthy', 'NeverReady', 'FailsSmoke'])
  const model = new RolloutModel(choosePlan(pick), nature)
  const windows = pick<readonly WindowKind[]>([
    ['Good'],
    ['Good'],
    ['Good', 'Bad'],
    ['Bad'],
    ['Crashing'],
    ['Good', 'Silent'],
  ])
  const calm = pick([0.2, 0.5, 0.8])
  for (let look = 0; look < looksInWalk && !model.isOver; look++) {
    if (random() > calm) happen(model, pick)
    if (random() < 0.7) model.live()
    if (random() < 0.5) model.see(pick(windows))
    model.pass(1000)
    model.look()
  }
  return model
}

/** Nothing more happens from outside, and requests come. */
function settle(model: RolloutModel): void {
  model.silence(false)
  for (let look = 0; look < 200 && !model.isOver; look++) {
    model.live()
    model.see('Good')
    model.pass(5000)
    model.look()
    const { pause } = model.state
    if (pause !== null && pause.reason !== 'NoTraffic') return
  }
  assert.ok(
    model.isOver,
    `no end: ${JSON.stringify(model.state.position)}, paused ${JSON.stringify(model.state.pause)}`,
  )
}

test('whatever happens in whatever order, capacity, weights and verdicts keep their rules, and each rollout ends or waits for a person', () => {
  for (let seed = 0; seed < walks; seed++) {
    try {
      const model = walk(seed)
      // Most of the time would be spent here.
      if (seed % 4 === 0) settle(model)
    } catch (error) {
      throw new Error(`walk ${seed}: ${String(error)}`, { cause: error })
    }
  }
})

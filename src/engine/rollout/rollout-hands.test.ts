import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Behaviour, RolloutWorld, createRecord } from '../../../test/kit/rollout-world.ts'
import { sampleService } from '../../../test/kit/service-sample.ts'
import { resolveRollout } from '../../spec/resolve/resolve-rollout.ts'
import type { Service } from '../../spec/service.ts'
import { countDesired } from '../state/records.ts'
import type { ServiceOrder } from './orders.ts'

const runs = Number(process.env['TOWLINE_MODEL_RUNS'] ?? 120)

const analysis = { minRequests: 5, maxTime: '40s', errors: { floorPerThousand: 100 } }
const steps = [{ weight: 10 }, { weight: 50 }]
const rollouts = {
  Rolling: {},
  RollingSwap: { surge: 'Swap' },
  Recreate: { surge: 'Recreate' },
  Canary: { steps, bake: '2s', analysis },
  CanarySwap: { steps, bake: '2s', analysis, surge: 'Swap' },
  Manual: { steps: [{ weight: 10, pause: 'Manual' }, { weight: 50 }], bake: '2s', analysis },
  Holding: { steps, bake: '2s', analysis, onFailure: 'Pause', onInconclusive: 'Rollback' },
} as const
type Way = keyof typeof rollouts

function serviceOf(way: Way, replicas: number): Service {
  const rollout = structuredClone(rollouts[way]) as Parameters<typeof resolveRollout>[0]
  return sampleService({ replicas, rollout: resolveRollout(rollout, '/') })
}

let applied = 0
function apply(world: RolloutWorld, way: Way, behaviour: Behaviour): void {
  const application = {
    service: serviceOf(way, 3),
    file: '/towline.yaml',
    environment: null,
    hash: `spec-${applied++}`,
    model: { digest: 'sha256:aa', path: '/kept' },
  }
  world.apply(application, behaviour)
}

function begin(way: Way = 'Canary'): RolloutWorld {
  const world = new RolloutWorld(createRecord(serviceOf(way, 3)))
  for (let tick = 0; tick < 8; tick++) world.tick()
  assert.equal(world.serving(1), 3)
  return world
}

/** Nothing more happens from outside: it must come to its end, or wait for a person. */
function settle(world: RolloutWorld, ticks = 900): void {
  world.silent = false
  for (let tick = 0; tick < ticks; tick++) {
    world.tick()
    const { rollout, target, stable } = world.record
    const isWhole =
      world.of(stable).length === countDesired(world.record) && world.serving(stable) === countDesired(world.record)
    if (rollout === null && target === stable && isWhole) return
    if (['Manual', 'ByHand', 'Inconclusive', 'Failed'].includes(rollout?.state.pause?.reason ?? '')) return
  }
  assert.fail(`no end after ${ticks} looks: ${JSON.stringify(world.record.rollout ?? world.record)}`)
}

const ways = fc.constantFrom(...(Object.keys(rollouts) as Way[]))
const behaviours = fc.constantFrom<Behaviour>('Healthy', 'Healthy', 'Erroring', 'NeverReady', 'FailsSmoke')
const orders = fc.constantFrom<ServiceOrder>(
  { verb: 'Promote', plan: null, step: null, full: false },
  { verb: 'Promote', plan: null, step: null, full: true },
  { verb: 'Pause', plan: null },
  { verb: 'Resume', plan: null },
  { verb: 'Abort', plan: null },
  { verb: 'Rollback', from: null, to: null },
  { verb: 'Retry' },
  { verb: 'Restart' },
)
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ticks' as const), ticks: fc.integer({ min: 1, max: 25 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), way: ways, behaviour: behaviours }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('order' as const), order: orders }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('engine' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('gateway' as const), downMs: fc.integer({ min: 0, max: 3000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), which: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silence' as const), silent: fc.boolean() }) },
)

test('whatever happens in whatever order, what must hold holds at each look, and every rollout comes to an end or waits for a person', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 5, maxLength: 30 }), (events) => {
      const world = begin()
      for (const event of events) {
        switch (event.kind) {
          case 'ticks':
            for (let tick = 0; tick < event.ticks; tick++) world.tick()
            break
          case 'apply':
            apply(world, event.way, event.behaviour)
            break
          case 'order':
            world.order(event.order)
            break
          case 'engine':
            world.restartEngine()
            break
          case 'gateway':
            world.restartGateway(event.downMs)
            break
          case 'crash':
            world.crash(event.which)
            break
          case 'scale':
            if (countDesired(world.record) !== event.replicas) world.scale(event.replicas)
            break
          case 'silence':
            world.silent = event.silent
        }
      }
      settle(world)
    }),
    { numRuns: runs },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveRollout } from '../../spec/resolve/resolve-rollout.ts'
import { type RolloutWish, planRollout } from './begin.ts'

const canary = {
  steps: [
    { weight: 10, bake: '30s' },
    { weight: 50, pause: 'Manual' as const },
  ],
  bake: '2m',
}
function plan(written: Parameters<typeof resolveRollout>[0], change: Partial<Omit<RolloutWish, 'rollout'>> = {}) {
  const rollout = resolveRollout(written, '/')
  return planRollout({
    id: 'plan-1',
    reason: 'Apply',
    stable: 3,
    candidate: 4,
    replicas: 2,
    stableProven: true,
    ...change,
    rollout,
  })
}

test('steps make a canary, with what the spec says about weights, analysis and failures', () => {
  const analysis = {
    minRequests: 7,
    maxTime: '5m',
    errors: { maxPercentOfStable: 150, floorPerThousand: 20 },
    latency: { slowerThan: '250ms', maxPercentOfStable: 200, floorPerThousand: 30 },
  }
  assert.deepEqual(plan({ ...canary, analysis, onFailure: 'Pause', onInconclusive: 'Rollback' }), {
    id: 'plan-1',
    kind: 'Canary',
    stable: 3,
    candidate: 4,
    surge: 'Surge',
    steps: [
      { weight: 10, bakeMs: 30_000, manual: false },
      { weight: 50, bakeMs: 120_000, manual: true },
    ],
    policy: {
      bakeMs: 120_000,
      minRequests: 7,
      maxTimeMs: 300_000,
      judge: { errors: { ratio: 1.5, floor: 0.02 }, slow: { ratio: 2, floor: 0.03, slowerThanMs: 250 } },
      onFailure: 'Pause',
      onInconclusive: 'Rollback',
    },
    turnsBack: true,
    leastReplicas: 2,
  })
})

test('without steps one replica is replaced after the other, and slow answers are not judged unless asked for', () => {
  const { kind, steps, policy } = plan({})
  assert.deepEqual([kind, steps, policy.judge.slow], ['Rolling', [], null])
})

test('nothing that has served: nothing to compare with, nothing to turn back to, and no place to take', () => {
  const first = plan({ ...canary, surge: 'Swap' }, { stableProven: false })
  assert.deepEqual([first.kind, first.surge, first.steps, first.turnsBack], ['Rolling', 'Surge', [], false])
})

test('the same again is not judged: a restart replaces one replica after the other', () => {
  const { kind, steps, turnsBack } = plan(canary, { reason: 'Restart' })
  assert.deepEqual([kind, steps, turnsBack], ['Rolling', [], true])
})

test('a rollback is one move where both have room, and one replica after the other where they have not', () => {
  const back = { reason: 'Rollback', stable: 4, candidate: 3 } as const
  const { kind, steps, stable, candidate } = plan(canary, back)
  assert.deepEqual([kind, steps, stable, candidate], ['Switch', [], 4, 3])
  assert.equal(plan({}, back).kind, 'Switch')
  for (const surge of ['Swap', 'Recreate'] as const) assert.equal(plan({ surge }, back).kind, 'Rolling')
})

test('capacity comes from beside the stable replicas unless the spec says otherwise', () => {
  for (const [written, planned] of [
    ['Auto', 'Surge'],
    ['Surge', 'Surge'],
    ['Swap', 'Swap'],
    ['Recreate', 'Recreate'],
  ] as const)
    assert.equal(plan({ surge: written }).surge, planned)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlanStatus } from '../../control/api.ts'
import { type PlannedPower, renderPlan } from './plan-rows.ts'

const same: PlanStatus = {
  name: 'cats',
  change: 'Nothing',
  revision: { from: 3, to: 3 },
  model: { from: 'sha256:7793a8ff', to: 'sha256:7793a8ff' },
  fields: [],
  replicas: { from: 2, to: 2 },
  rollout: null,
  paused: false,
  supersedes: null,
  goesOn: false,
  gate: null,
  rejection: null,
}
const canary: PlanStatus = {
  ...same,
  change: 'Revision',
  revision: { from: 3, to: 4 },
  model: { from: 'sha256:7793a8ff', to: 'sha256:c01d44ff' },
  rollout: {
    kind: 'Canary',
    surge: 'Surge',
    steps: [
      { weight: 5, bakeMs: 120_000, manual: false },
      { weight: 50, bakeMs: 120_000, manual: true },
    ],
    bakeMs: 120_000,
    minRequests: 200,
    maxTimeMs: 3_600_000,
    evidence: { requestsPerMinute: 600, leastMs: 600_000, metrics: [] },
  },
}
const power: PlannedPower = {
  metric: 'Errors',
  isNew: false,
  stableShare: 0.005,
  power: {
    bound: 0.01,
    smallestShown: { share: 0.02, timesBound: 2, timesStable: 4 },
    defects: [],
    healthy: { medianMs: 600_000, likelyMs: 900_000 },
  },
}
const render = (plan: PlanStatus, powers: readonly PlannedPower[] = []) =>
  renderPlan(plan, powers, 0).map((row) => row.trim())

test('what changes nothing is said in one line', () => {
  assert.deepEqual(render(same), [
    'plan         cats: nothing changes, revision 3 serves   model unchanged (sha256 7793a8…)',
  ])
})

test('a canary shows its models, its steps, its capacity and what the judge can find', () => {
  assert.deepEqual(render(canary, [power]), [
    'plan         cats: revision 3 → 4   model sha256 7793a8… → c01d44…',
    'capacity     beside the old ones, which keep their number, 0 requests lost expected',
    '5 %          of the requests, for at least 2 m 0 s and 200 requests',
    '50 %         of the requests, until a person promotes it',
    '100 %        for 2 m 0 s, the old revision stands by',
    'traffic      600 requests in the last minute; with as many the steps take at least 10 m 0 s',
    'judge        errors: 0.5 % now, tolerated at most 1 %; from 2 % on a defect is shown within 1 h 0 m, a good one is proven in about 10 m 0 s',
  ])
})

test('a judge that finds too little, or proves nothing, is a warning', () => {
  const healthy = { medianMs: null, likelyMs: null }
  const rows = render(canary, [{ ...power, power: { ...power.power, smallestShown: null, healthy } }])
  assert.equal(rows.filter((row) => row.startsWith('warning')).length, 2)
})

test('silence is a warning, since it never passes', () => {
  const evidence = { requestsPerMinute: 0, leastMs: null, metrics: [] }
  const rows = render({ ...canary, rollout: canary.rollout === null ? null : { ...canary.rollout, evidence } }, [power])
  assert.match(rows.at(-1) ?? '', /^warning +no request came in the last minute/)
})

test('Recreate, and a Swap of the only replica, say that callers will notice', () => {
  const capacityOf = (surge: 'Recreate' | 'Swap', to: number) => {
    const rollout =
      canary.rollout === null ? null : ({ ...canary.rollout, kind: 'Rolling', surge, evidence: null } as const)
    return render({ ...canary, replicas: { from: to, to }, rollout }).find((row) => row.startsWith('capacity')) ?? ''
  }
  assert.match(capacityOf('Recreate', 2), /requests are held/)
  assert.match(capacityOf('Swap', 1), /downtime/)
  assert.match(capacityOf('Swap', 2), /0 requests lost expected/)
})

test('what stands in the way comes before the rollout: a refusal, a gate, spec.paused, another rollout', () => {
  const gate = {
    passed: false,
    missing: [{ environment: 'staging', why: 'staging has never run its checks' }],
  } as const
  const rows = render({
    ...canary,
    gate,
    paused: true,
    supersedes: 4,
    rejection: { message: 'it crashed', hint: 'retry' },
  })
  assert.deepEqual(
    rows.slice(1, 5).map((row) => row.split(' ')[0]),
    ['refused', 'first', 'waits', 'gate'],
  )
})

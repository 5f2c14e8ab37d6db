import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleService } from '../../../test/kit/service-sample.ts'
import type { Service } from '../../spec/service.ts'
import type { AdmittedApplication } from '../apply.ts'
import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'
import type { ServiceRecord } from '../state/records.ts'
import { reportPlan } from './plan-report.ts'

const service = sampleService({
  replicas: 2,
  rollout: {
    steps: [
      { weight: 10, bakeMs: 60_000, manual: false },
      { weight: 50, bakeMs: 60_000, manual: false },
    ],
    surge: 'Auto',
    bakeMs: 60_000,
    analysis: {
      minRequests: 200,
      maxTimeMs: 3_600_000,
      errors: { ratio: 1.25, floor: 0.01 },
      latency: { ratio: 1.25, floor: 0.02, slowerThanMs: 250 },
    },
    onFailure: 'Rollback',
    onInconclusive: 'Pause',
    smoke: [],
    requires: [],
    revisionHistoryLimit: 3,
    warmRevisions: 1,
  },
})
const revision = {
  number: 3,
  hash: 'a',
  service,
  modelDigest: 'sha256:77',
  modelPath: '/k',
  createdAtMs: 0,
  proven: true,
}
const record: ServiceRecord = {
  name: 'cats',
  file: '/a.yaml',
  host: '127.0.0.1',
  port: 8080,
  environment: null,
  applied: service,
  target: 3,
  stable: 3,
  revisions: [revision],
  rollout: null,
  warm: [],
  history: [],
  rejected: null,
  stopping: false,
  scale: null,
  lastFailure: null,
}

const gate = { passed: false, missing: [{ environment: 'staging', why: 'staging has never run its checks' }] } as const

function apply(change: Partial<Service>, hash: string): AdmittedApplication {
  const model = { digest: hash === 'a' ? 'sha256:77' : 'sha256:c0', path: '/m' }
  return { service: { ...service, ...change }, file: '/a.yaml', environment: null, hash, model }
}

function traffic(perMinute: number, errors: number): GatewayRouteStatus {
  const latency = perMinute === 0 ? null : { count: perMinute, p50Ms: 1, p99Ms: 2 }
  const counts = { requests: 1000, errors, refused: 0, slow: 20, inFlight: 0, latency }
  return {
    service: 'cats',
    host: '127.0.0.1',
    port: 8080,
    inFlight: 0,
    countedSince: 'x',
    requests: 1000,
    errors,
    waiting: 0,
    inFlightMs: 0,
    measuredAtMs: 0,
    latency,
    revisions: [{ revision: 3, ...counts }],
    endpoints: [],
  }
}

const plan = (application: AdmittedApplication, more: { record?: ServiceRecord; traffic?: GatewayRouteStatus } = {}) =>
  reportPlan({ application, record: more.record ?? record, traffic: more.traffic, nowMs: 0, gate })

test('what does not run is new', () => {
  const told = reportPlan({ application: apply({}, 'a'), record: undefined, traffic: undefined, nowMs: 0, gate })
  assert.deepEqual([told.change, told.revision, told.replicas], ['New', { from: null, to: 1 }, { from: null, to: 2 }])
})

test('the same again changes nothing, another number of replicas is taken in place', () => {
  assert.equal(plan(apply({}, 'a')).change, 'Nothing')
  const more = plan(apply({ replicas: 3 }, 'a'))
  assert.deepEqual([more.change, more.replicas, more.rollout], ['InPlace', { from: 2, to: 3 }, null])
  const scaled = { ...record, scale: { replicas: 5, reason: '', changedAtMs: null, autoscaler: null } }
  assert.equal(plan(apply({}, 'a'), { record: scaled }).change, 'Nothing', 'what somebody scaled stays')
})

test('fields have the names and the units of the spec, so that what is shown can be written', () => {
  const steps = [
    { weight: 25, bakeMs: 6000, manual: false },
    { weight: 50, bakeMs: 0, manual: true },
  ]
  const analysis = { ...service.rollout.analysis, errors: { ratio: 1.5, floor: 0.05 } }
  const told = plan(
    apply(
      { serving: { ...service.serving, timeoutMs: 21_000 }, rollout: { ...service.rollout, steps, analysis } },
      'b',
    ),
  )
  const shown = told.fields.map(({ path, to }) => `${path}: ${to}`)
  for (const line of [
    'serving.timeout: 21s',
    'rollout.analysis.errors.floorPerThousand: 50',
    'rollout.analysis.errors.maxPercentOfStable: 150',
    'rollout.steps: [{ weight: 25, bake: 6s }, { weight: 50, pause: Manual }]',
  ])
    assert.ok(shown.includes(line), `${line} is not in ${shown.join(', ')}`)
})

test('a new revision names its fields, models and steps, and shows no values of env', () => {
  const told = plan(apply({ env: [{ name: 'TOKEN', value: 'secret' }], replicas: 3 }, 'b'))
  assert.deepEqual(
    [told.change, told.revision, told.model],
    ['Revision', { from: 3, to: 4 }, { from: 'sha256:77', to: 'sha256:c0' }],
  )
  assert.deepEqual(told.fields, [
    { path: 'env.TOKEN', from: null, to: '(a value)', replaces: true },
    { path: 'replicas', from: '2', to: '3', replaces: false },
  ])
  assert.deepEqual([told.rollout?.kind, told.rollout?.steps.length], ['Canary', 2])
  assert.doesNotMatch(JSON.stringify(told), /secret/)
})

test('with traffic the steps take as long as their requests need, and the judge is asked with the shares of now', () => {
  const evidence = plan(apply({}, 'b'), { traffic: traffic(1000, 5) }).rollout?.evidence
  // 200 of 100 a minute take 2 min, 200 of 500 less than the bake; then the bake at full weight; 30 s are left out each time.
  assert.equal(evidence?.leastMs, 330_000)
  const [errors, slow] = evidence?.metrics ?? []
  assert.deepEqual([errors?.question.stableShare, slow?.question.stableShare], [0.005, 0.02])
  assert.deepEqual(
    errors?.question.stretches.map(({ durationMs, candidatePerMinute }) => [durationMs, candidatePerMinute]),
    [
      [120_000, 100],
      [3_480_000, 500],
    ],
  )
})

test('without traffic it never ends; a new limit for slow answers makes their share unknown', () => {
  const latency = { ratio: 1, floor: 0, slowerThanMs: 100 }
  const analysis = { ...service.rollout.analysis, latency }
  const told = plan(apply({ rollout: { ...service.rollout, analysis } }, 'b'), { traffic: traffic(0, 0) })
  assert.equal(told.rollout?.evidence?.leastMs, null)
  assert.deepEqual(
    told.rollout?.evidence?.metrics.map(({ isNew }) => isNew),
    [false, true],
  )
})

test('what was rejected is said to be refused, with the way out', () => {
  const cause = { reason: 'Crashed', message: 'it crashed', hint: null } as const
  const rejected = { revision: 4, hash: 'b', cause, atMs: 0 }
  const told = plan(apply({}, 'b'), { record: { ...record, rejected } })
  assert.equal(told.change, 'Rejected')
  assert.match(`${told.rejection?.message} ${told.rejection?.hint}`, /it crashed.*towline retry cats/)
})

test('what the gate says is passed on as it is', () => {
  assert.deepEqual([plan(apply({}, 'b')).gate], [gate])
})

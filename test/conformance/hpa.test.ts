import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { ScalingBehavior } from '../../src/spec/service.ts'
import { resolveBehavior } from '../../src/decide/autoscale/behavior.ts'
import { type MetricObservation, proposeReplicas } from '../../src/decide/autoscale/metric.ts'
import {
  type AutoscaleState,
  recordFailedRescale,
  recordRescale,
  stepAutoscaler,
} from '../../src/decide/autoscale/step.ts'
import { type MetricCase, type PodCase, type SampleCase, askPeer, observeMetric, observePods } from '../kit/hpa-peer.ts'
import { requirePeer } from '../kit/peer.ts'

/** So many that a hundred thousand are left without those that overflow there. */
const calculatorCases = 110_000
const histories = 4000
const syncMs = 15_000

/** Another each time; the one that failed can be given back. */
function chooseSeed(t: TestContext): number {
  const seed = Number(process.env['TOWLINE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`TOWLINE_SEED=${seed}`)
  return seed
}

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** Around the limits of 30 s and 5 min, on them and off them. */
const agoMs = fc.oneof(
  fc.constantFrom(0, -10_000, -30_000, -60_000, -270_000, -300_000, -330_000, -600_000),
  fc.integer({ min: -700_000, max: 0 }),
)
const often = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

const pod = (name: string): fc.Arbitrary<PodCase> =>
  fc.record({
    name: fc.constant(name),
    phase: often('Running' as const, fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')),
    deleting: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    ready: fc.option(
      fc.record({ status: often('True' as const, fc.constantFrom('False', 'Unknown')), sinceMs: agoMs }),
      { freq: 9 },
    ),
    startedAtMs: fc.option(agoMs, { freq: 9 }),
    requestMilli: fc.option(fc.constantFrom(100, 250, 1000, 2 ** 30 * 1000), { freq: 200 }),
  })
const pods = fc
  .subarray([...names])
  .chain((chosen) => fc.tuple(...chosen.map(pod)))
  .map((list): PodCase[] => list)

const small = fc.oneof(fc.constantFrom(0, 1, 50, 89, 90, 99, 100, 109, 110, 111, 1000, 10_000), fc.nat(3000))
/** Times six pods over a target of 1 this passes the largest count, where that is guarded. */
const total = fc.oneof({ weight: 9, arbitrary: small }, { weight: 1, arbitrary: fc.nat(2 ** 30) })
const samplesOf = (unit: number): fc.Arbitrary<readonly SampleCase[]> =>
  fc.subarray([...names, 'stranger'], { minLength: 0 }).chain((chosen) =>
    fc.tuple(
      ...chosen.map((name) =>
        fc.record({
          name: fc.constant(name),
          milli: small.map((value) => value * unit),
          atMs: agoMs,
          windowMs: fc.constantFrom(0, 30_000, 60_000),
        }),
      ),
    ),
  )
const samples = samplesOf(1)
const target = fc.oneof(fc.constantFrom(50, 100, 1000, 20_000), fc.integer({ min: 1, max: 5000 }))
const series = fc.oneof(
  { weight: 9, arbitrary: fc.array(total, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant([]) },
)

function metricOf(kind: MetricCase['kind'], resource: 'cpu' | 'memory', unit = 1): fc.Arbitrary<MetricCase> {
  switch (kind) {
    case 'Utilization':
      return fc.record({
        kind: fc.constant(kind),
        resource: fc.constant(resource),
        targetPercent: fc.integer({ min: 1, max: 300 }),
        samples: samplesOf(unit),
      })
    case 'Usage':
      return fc.record({ kind: fc.constant(kind), resource: fc.constant(resource), targetMilli: target, samples })
    case 'Pods':
      return fc.record({ kind: fc.constant(kind), targetMilli: target, samples })
    case 'Object':
      return fc.record({
        kind: fc.constant(kind),
        per: fc.constantFrom('Service' as const, 'Replica' as const),
        targetMilli: target,
        series: series.map((list) => list.slice(0, 1)),
      })
    case 'External':
      return fc.record({
        kind: fc.constant(kind),
        per: fc.constantFrom('Service' as const, 'Replica' as const),
        targetMilli: target,
        series,
      })
  }
}
const kinds = ['Utilization', 'Usage', 'Pods', 'Object', 'External'] as const
const metric = fc
  .tuple(fc.constantFrom(...kinds), fc.constantFrom('cpu' as const, 'memory' as const))
  .chain(([kind, resource]) => metricOf(kind, resource, resource === 'cpu' ? 1 : 2 ** 30))
const tolerance = fc.constantFrom(0, 0.01, 0.05, 0.1, 0.1, 0.1, 0.36)

const calculatorCase = fc.record({
  metric,
  pods,
  current: fc.nat(12),
  status: fc.nat(12),
  toleranceUp: tolerance,
  toleranceDown: tolerance,
  initMs: fc.constantFrom(120_000, 300_000),
  delayMs: fc.constantFrom(10_000, 30_000),
})

/** Beyond 2^31 per-pod counts and percentages there are arbitrary (unguarded conversions); ours stop at the largest count. */
const isOverflown = (kind: MetricCase['kind'], { replicas, usage }: { replicas: number; usage: number }): boolean =>
  replicas >= 2 ** 31 - 1 || (kind === 'Utilization' && usage >= 2 ** 31)

test('a hundred thousand proposals are those of the replica calculator of Kubernetes 1.35.4', (t) => {
  const peer = requirePeer(t, 'hpa-peer')
  if (peer === undefined) return
  const cases = fc.sample(calculatorCase, { numRuns: calculatorCases, seed: chooseSeed(t) })
  const answers = askPeer(peer, 'TestCalculator', cases)
  assert.equal(answers.length, calculatorCases)
  let moved = 0
  let overflown = 0
  for (const [index, item] of cases.entries()) {
    const nowMs = 1_000_000_000
    const ours = proposeReplicas(observeMetric(item.metric, { pods: item.pods, nowMs, name: 'm' }), {
      pods: observePods(item.pods, nowMs),
      currentReplicas: item.current,
      statusReplicas: item.status,
      tolerance: { up: item.toleranceUp, down: item.toleranceDown },
      cpuInitializationMs: item.initMs,
      initialReadinessDelayMs: item.delayMs,
      nowMs,
    })
    if (ours.kind === 'Valid' && isOverflown(item.metric.kind, ours)) {
      overflown++
      continue
    }
    if (ours.kind === 'Valid' && ours.replicas !== item.current) moved++
    const theirs = answers[index] as { invalid: boolean; replicas: number; usage: number }
    const expected = theirs.invalid ? { invalid: true } : { replicas: theirs.replicas, usage: theirs.usage }
    const actual =
      ours.kind === 'Invalid'
        ? { invalid: true }
        : { replicas: ours.replicas, usage: Number.isFinite(ours.usage) ? ours.usage : theirs.usage }
    assert.deepEqual(actual, expected, `case ${index}: ${JSON.stringify(item)}`)
  }
  t.diagnostic(
    `${moved} of ${calculatorCases} cases ask for another size, ${overflown} overflow there and are left out`,
  )
  assert.ok(moved > calculatorCases / 10, 'most cases decide nothing')
  assert.ok(calculatorCases - overflown >= 100_000, 'too many cases overflow')
})

const windowSeconds = fc.constantFrom(0, 15, 30, 60, 300)
const rules = fc.record({
  selectPolicy: fc.constantFrom('Max' as const, 'Max' as const, 'Min' as const, 'Disabled' as const),
  stabilizationWindowSeconds: windowSeconds,
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods' as const, 'Percent' as const),
      value: fc.integer({ min: 1, max: 150 }).map((value) => (value > 120 ? value : (value % 12) + 1)),
      periodSeconds: fc.constantFrom(15, 30, 60, 120),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  toleranceMilli: fc.option(fc.constantFrom(0, 10, 50, 300)),
})

const history = fc
  .uniqueArray(fc.constantFrom(...kinds.map((kind) => [kind, 'cpu'] as const), ['Utilization', 'memory'] as const), {
    minLength: 1,
    maxLength: 3,
    // Of each resource one metric: the peer finds them by it.
    selector: ([kind, resource]) => (kind === 'Utilization' || kind === 'Usage' ? resource : kind),
  })
  .chain((chosen) =>
    fc.tuple(...chosen.map(([kind, resource]) => metricOf(kind, resource))).chain((first) => {
      const values = fc.tuple(
        ...chosen.map(([kind, resource], index) =>
          metricOf(kind, resource).map(({ samples: newSamples, series: newSeries }) => ({
            ...first[index],
            ...(newSamples === undefined ? {} : { samples: newSamples }),
            ...(newSeries === undefined ? {} : { series: newSeries }),
          })),
        ),
      )
      const step = fc.record({
        setTo: fc.option(fc.nat(8), { freq: 1, nil: null }).chain((value) => often(null, fc.constant(value))),
        status: fc.nat(8),
        failWrite: fc.nat(15).map((value) => value === 0),
        pods,
        metrics: values,
        unreadable: fc.tuple(...chosen.map(() => fc.nat(15).map((value) => value === 0))),
      })
      return fc.record({
        minReplicas: fc.nat(2),
        maxReplicas: fc.constantFrom(3, 10, 40),
        start: fc.nat(10),
        behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { freq: 3 }),
        downStabilizationSeconds: fc.constantFrom(0, 60, 300),
        steps: fc.array(step, { minLength: 4, maxLength: 14 }),
      })
    }),
  )

type HistoryCase = typeof history extends fc.Arbitrary<infer T> ? T : never

interface StepResult {
  readonly replicas: number
  readonly conditions: readonly unknown[] | null
}

function followOurs(item: HistoryCase): StepResult[] {
  const policy = {
    minReplicas: item.minReplicas,
    maxReplicas: item.maxReplicas,
    downStabilizationSeconds: item.downStabilizationSeconds,
    ...(item.behavior === null
      ? {}
      : { behavior: resolveBehavior(behaviorOf(item.behavior), item.downStabilizationSeconds) }),
  }
  let replicas = item.start
  let state: AutoscaleState | undefined
  return item.steps.map((step, index) => {
    const nowMs = (index + 1) * syncMs
    replicas = step.setTo ?? replicas
    const metrics = step.metrics.map((measured, at): MetricObservation => {
      const readable = observeMetric(measured as MetricCase, { pods: step.pods, nowMs, name: `m${at}` })
      if (step.unreadable[at] !== true) return readable
      const { kind } = readable
      const family = kind === 'Utilization' || kind === 'Usage' || kind === 'Unreadable' ? 'Resource' : kind
      return { name: `m${at}`, kind: 'Unreadable', failure: `FailedGet${family}Metric`, reason: 'unreadable' }
    })
    const observation = {
      currentReplicas: replicas,
      statusReplicas: step.status,
      pods: observePods(step.pods, nowMs),
      metrics,
    }
    const decision = stepAutoscaler(policy, observation, state, nowMs)
    state = decision.state
    const to = decision.desiredReplicas
    if (to !== replicas) {
      if (step.failWrite) {
        state = recordFailedRescale(state, 'not today', nowMs)
      } else {
        state = recordRescale(state, policy, { from: replicas, to, nowMs })
        replicas = to
      }
    }
    const conditions = state.conditions.map(({ type, status, reason, sinceMs }) => ({ type, status, reason, sinceMs }))
    return { replicas, conditions }
  })
}

function behaviorOf({ scaleUp, scaleDown }: NonNullable<HistoryCase['behavior']>): ScalingBehavior {
  const side = ({ toleranceMilli, ...rest }: typeof scaleUp) =>
    toleranceMilli === null ? rest : { ...rest, tolerance: toleranceMilli / 1000 }
  return { scaleUp: side(scaleUp), scaleDown: side(scaleDown) }
}

test('whole histories are those of the controller of Kubernetes 1.35.4, conditions and their times included', (t) => {
  const peer = requirePeer(t, 'hpa-peer')
  if (peer === undefined) return
  const cases = fc.sample(history, { numRuns: histories, seed: chooseSeed(t) })
  const answers = askPeer(peer, 'TestController', cases) as StepResult[][]
  assert.equal(answers.length, histories)
  let moves = 0
  for (const [index, item] of cases.entries()) {
    const ours = followOurs(item)
    ours.reduce((before, { replicas }) => (replicas === before || moves++, replicas), item.start)
    assert.deepEqual(ours, answers[index], `history ${index}: ${JSON.stringify(item)}`)
  }
  t.diagnostic(`${moves} moves in ${histories} histories`)
  assert.ok(moves > histories, 'most histories move nothing')
})

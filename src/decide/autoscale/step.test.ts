import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { resolveBehavior } from './behavior.ts'
import type { MetricObservation } from './metric.ts'
import {
  type AutoscalePolicy,
  type AutoscaleState,
  recordFailedRescale,
  recordRescale,
  stepAutoscaler,
} from './step.ts'

const policy: AutoscalePolicy = { minReplicas: 1, maxReplicas: 10, behavior: resolveBehavior({}) }
/** So many for each replica, so much in all. */
const load = (milli: number | undefined, targetMilli = 1000): MetricObservation => ({
  name: 'concurrency',
  kind: 'External',
  per: 'Replica',
  targetMilli,
  series: milli === undefined ? [] : [milli],
})
const seen = (currentReplicas: number, ...metrics: MetricObservation[]) => ({
  currentReplicas,
  statusReplicas: currentReplicas,
  pods: [],
  metrics,
})
const reasons = ({ conditions }: AutoscaleState): string[] =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)

test('the largest wish wins, and the conditions say what was found', () => {
  const step = stepAutoscaler(policy, seen(2, load(2000), { ...load(3500), name: 'queue' }), undefined, 0)
  assert.equal(step.desiredReplicas, 4)
  assert.equal(step.reason, 'queue above target')
  assert.deepEqual(
    step.proposals.map(({ metric, replicas }) => [metric, replicas]),
    [
      ['concurrency', 2],
      ['queue', 4],
    ],
  )
  assert.deepEqual(reasons(step.state), [
    'AbleToScale True ReadyForNewScale',
    'ScalingActive True ValidMetricFound',
    'ScalingLimited False DesiredWithinRange',
  ])
})

test('no data holds: a blind metric allows more replicas, never fewer', () => {
  const down = stepAutoscaler(policy, seen(5, load(1000), load(undefined)), undefined, 0)
  assert.deepEqual([down.desiredReplicas, down.reason], [5, ''])
  assert.equal(reasons(down.state).at(-1), 'ScalingActive False FailedGetExternalMetric')
  const up = stepAutoscaler(policy, seen(5, load(undefined), load(8000)), undefined, 0)
  assert.equal(up.desiredReplicas, 8)
  const blind = stepAutoscaler(policy, seen(5, load(undefined)), undefined, 0)
  assert.equal(blind.desiredReplicas, 5)
  assert.deepEqual(blind.proposals[0]?.failure, 'the metric has no data')
  assert.equal(stepAutoscaler(policy, seen(5), undefined, 0).desiredReplicas, 5, 'and no metrics at all')
})

test('a service at zero by hand stays there, unless zero is its least', () => {
  const off = stepAutoscaler(policy, seen(0, load(5000)), undefined, 0)
  assert.deepEqual([off.desiredReplicas, reasons(off.state).at(-1)], [0, 'ScalingActive False ScalingDisabled'])
  assert.equal(stepAutoscaler({ ...policy, minReplicas: 0 }, seen(0, load(3000)), undefined, 0).desiredReplicas, 3)
})

test('out of bounds it goes straight to the bound, past metrics, windows and rates', () => {
  const over = stepAutoscaler(policy, seen(50), undefined, 0)
  assert.deepEqual([over.desiredReplicas, over.reason], [10, 'Current number of replicas above Spec.MaxReplicas'])
  const under = stepAutoscaler({ ...policy, minReplicas: 3 }, seen(1), undefined, 0)
  assert.deepEqual([under.desiredReplicas, under.reason], [3, 'Current number of replicas below Spec.MinReplicas'])
})

test('a write that failed is decided anew, and both outcomes are conditions', () => {
  const step = stepAutoscaler(policy, seen(2, load(4000)), undefined, 0)
  const failed = recordFailedRescale(step.state, 'the disk is full', 1)
  assert.equal(reasons(failed)[0], 'AbleToScale False FailedUpdateScale')
  assert.deepEqual(failed.history.ups, [])
  const again = stepAutoscaler(policy, seen(2, load(4000)), failed, 2)
  assert.equal(again.desiredReplicas, 4)
  assert.equal(again.state.conditions[0]?.sinceMs, 2, 'able again since now')
  const done = recordRescale(again.state, policy, { from: 2, to: 4, nowMs: 2 })
  assert.deepEqual(
    [reasons(done)[0], done.history.ups],
    ['AbleToScale True SucceededRescale', [{ change: 2, atMs: 2 }]],
  )
})

test('whatever is seen, the answer is within the bounds or the count stays', () => {
  const value = fc.option(fc.nat(50_000), { nil: undefined })
  const looks = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 })
  const bounds = fc
    .tuple(fc.nat(3), fc.nat(9))
    .map(([min, more]) => ({ minReplicas: min, maxReplicas: min + more + 1 }))
  const behavior = fc.constantFrom(
    undefined,
    resolveBehavior({}),
    resolveBehavior({ scaleDown: { selectPolicy: 'Disabled' } }),
  )
  fc.assert(
    fc.property(looks, bounds, behavior, fc.nat(15), (values, range, rules, start) => {
      const own: AutoscalePolicy = rules === undefined ? range : { ...range, behavior: rules }
      let replicas = start
      let state: AutoscaleState | undefined
      for (const [index, pair] of values.entries()) {
        const nowMs = index * 15_000
        const step = stepAutoscaler(own, seen(replicas, ...pair.map((milli) => load(milli))), state, nowMs)
        const to = step.desiredReplicas
        assert.ok(to === replicas || (to >= range.minReplicas && to <= range.maxReplicas))
        if (rules?.scaleDown.selectPolicy === 'Disabled' && replicas <= range.maxReplicas) assert.ok(to >= replicas)
        assert.equal(step.reason === '', to === replicas)
        state = to === replicas ? step.state : recordRescale(step.state, own, { from: replicas, to, nowMs })
        assert.ok(state.history.recommendations.length < 30)
        replicas = to
      }
    }),
  )
})

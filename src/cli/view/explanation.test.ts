import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleAnalysis, sampleRollout, sampleService } from '../../../test/kit/rollout-sample.ts'
import type { ServiceStatus } from '../../control/api.ts'
import { explainService } from './explanation.ts'

const nowMs = 1_000_000
const calm = sampleService({
  revision: 2,
  model: { ...sampleService().model, sizeBytes: 18_553_741 },
  revisions: [],
})
const replica = {
  name: 'cats-2-a',
  revision: 2,
  phase: 'Waiting',
  pid: null,
  port: null,
  metricsPort: null,
  startedAtMs: null,
  warmupMs: null,
  restarts: 3,
  nextStartAtMs: nowMs + 4000,
  lastFailure: { reason: 'OutOfMemory', message: 'it used 1.2 GB', hint: 'resources.memory: 2Gi', atMs: nowMs - 2000 },
} as const

test('a calm service is explained in two sentences', () => {
  assert.deepEqual(explainService(calm, [], nowMs), [
    'cats is Ready: 1 of 1 replicas ready. It serves revision 2 of cats (18.6 MB).',
    'Of 0 requests 0 failed, 0 are in flight; none was answered in the last minute.',
  ])
})

test('a replica that waits says what ended it, when it starts again and what to do', () => {
  const [, sentence] = explainService({ ...calm, phase: 'Degraded', instances: [replica] }, [], nowMs)
  assert.equal(
    sentence,
    'cats-2-a is Waiting, 3 restarts so far: OutOfMemory 2.0 s ago, it used 1.2 GB. The next start is in 4.0 s. To do: resources.memory: 2Gi.',
  )
})

test('the autoscaler’s reasons are named, what is not known among them', () => {
  const condition = { status: 'False', message: 'no data', sinceMs: 0 } as const
  const scale: NonNullable<ServiceStatus['scale']> = {
    minReplicas: 1,
    maxReplicas: 5,
    reason: 'concurrency above target',
    changedAtMs: nowMs - 60_000,
    metrics: [
      { metric: 'concurrency', replicas: 3, usage: 1, failure: null },
      { metric: 'jobs', replicas: null, usage: null, failure: 'the metric has no data' },
    ],
    conditions: [
      { ...condition, type: 'ScalingActive', reason: 'FailedGetExternalMetric' },
      { ...condition, type: 'ScalingLimited', reason: 'DesiredWithinRange' },
    ],
    burst: true,
  }
  const latency = { count: 9, p50Ms: 12, p99Ms: 80 }
  const traffic = { requests: 10, errors: 1, inFlight: 2, waiting: 1, latency }
  assert.deepEqual(explainService({ ...calm, scale, traffic }, [], nowMs).slice(1), [
    'It has 1 replica since 1 m 0 s, of 1 to 5 allowed: concurrency above target.',
    'Of the metrics, concurrency asks for 3, jobs is not known (the metric has no data).',
    'Burst mode is on: it grows and does not shrink.',
    'The autoscaler says FailedGetExternalMetric: no data.',
    'Of 10 requests 1 failed, 2 are in flight, 1 held until a replica is ready; in the last minute half took under 12 ms and 99 % under 80 ms.',
  ])
})

test('what happened last comes at the end, with the replica and the reason', () => {
  const events = [
    {
      atMs: nowMs - 9000,
      service: 'cats',
      replica: null,
      reason: 'Scaled',
      message: 'from 1 to 2 replicas: set by hand',
    },
    { atMs: nowMs - 4000, service: 'cats', replica: 'cats-1-a', reason: 'Killed', message: 'it hung' },
  ]
  assert.equal(
    explainService(calm, events, nowMs).at(-1),
    'Last happened: 9.0 s ago Scaled (from 1 to 2 replicas: set by hand); 4.0 s ago cats-1-a Killed (it hung).',
  )
})

test('a rollout that waits is explained with its evidence and the command that ends the pause', () => {
  const pause = { reason: 'Inconclusive', message: 'neither is shown', sinceMs: 1 } as const
  const rollout = sampleRollout({ phase: 'Paused', analysis: sampleAnalysis(418, 2), pause })
  const text = explainService({ ...calm, rollout }, [], nowMs).join(' ')
  assert.match(text, /from revision 3 to 4 \(canary 5 % → 25 % → 100 %\) began 1.3 s ago/)
  assert.match(text, /2 of 418 \(0.48 %\) new, 9 of 7940 \(0.11 %\) stable/)
  assert.match(text, /paused \(Inconclusive\): neither is shown. To do: `towline resume cats`/)
})

test('a rejected revision is explained with its numbers and the way out', () => {
  const rejected = {
    reason: 'AnalysisFailed',
    message: '31 of 418',
    hint: 'bench it',
    revision: 4,
    atMs: nowMs,
  } as const
  const [, sentence] = explainService({ ...calm, rejected }, [], nowMs)
  assert.equal(
    sentence,
    'Revision 4 was rejected 0.0 ms ago (AnalysisFailed): 31 of 418. To do: bench it; then change the spec or the model, or `towline retry cats` tries the same again.',
  )
})

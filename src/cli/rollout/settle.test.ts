import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleRollout, sampleService } from '../../../test/kit/rollout-sample.ts'
import { isSettled } from './settle.ts'

const instance = {
  name: 'cats-3-a',
  revision: 3,
  phase: 'Ready',
  pid: 1,
  port: 1,
  metricsPort: 1,
  startedAtMs: 1,
  warmupMs: 1,
  restarts: 0,
  nextStartAtMs: null,
  lastFailure: null,
} as const
const earlier = { ...instance, name: 'cats-2-a', revision: 2 }

test('a change is done when as many are ready as are wanted, and none still answers what it owes', () => {
  assert.equal(isSettled(sampleService({ instances: [instance] })), true)
  assert.equal(isSettled(sampleService({ instances: [] })), false)
  assert.equal(isSettled(sampleService({ instances: [instance, { ...earlier, phase: 'Draining' }] })), false)
})

test('replicas of an earlier revision that stand by are waited for by nobody', () => {
  assert.equal(isSettled(sampleService({ instances: [instance, earlier] })), true)
})

test('a canary beside the service holds up no change of its size, a rolling change does', () => {
  const own = { phase: 'Updating', instances: [instance] } as const
  assert.equal(isSettled(sampleService({ ...own, rollout: sampleRollout() })), true)
  assert.equal(
    isSettled(sampleService({ ...own, rollout: sampleRollout({ kind: 'Rolling', phase: 'Rolling' }) })),
    false,
  )
})

test('a rejected revision is no failure of the size, a missing replica is', () => {
  const rejected = { reason: 'Crashed', message: 'm', hint: null, revision: 4, atMs: 1 } as const
  assert.equal(isSettled(sampleService({ phase: 'Degraded', rejected, instances: [instance] })), true)
  assert.equal(isSettled(sampleService({ phase: 'Degraded', replicas: { desired: 2, ready: 1 } })), true)
  assert.equal(isSettled(sampleService({ phase: 'Starting' })), false)
})

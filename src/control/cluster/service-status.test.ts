import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRecordedLook } from '../../../test/kit/recorded-look.ts'
import { explainService } from '../../cluster/explain/explain-service.ts'
import { describeHistory } from './revisions.ts'
import { describeService } from './service-status.ts'

const describeLook = (name: string) => {
  const look = readRecordedLook(name)
  return describeService(look, explainService(look))
}

test('a service that is as it should be is ready, with its pods as replicas on their nodes', () => {
  const { phase, revision, rollout, traffic, replicas, instances, lastFailure } = describeLook('ready')
  assert.deepEqual(
    { phase, revision, rollout, traffic, lastFailure },
    {
      phase: 'Ready',
      revision: 1,
      rollout: null,
      traffic: null,
      lastFailure: null,
    },
  )
  assert.equal(replicas.ready, replicas.desired)
  for (const { phase: each, node, revision: own } of instances)
    assert.deepEqual([each, typeof node, own], ['Ready', 'string', 1])
})

test('while pods of two revisions are there the older one serves, and the newer one is a rolling change', () => {
  const { revision, rollout, revisions } = describeLook('update-going-on')
  assert(rollout !== null)
  assert.deepEqual([rollout.kind, rollout.from, rollout.to], ['Rolling', revision, revision + 1])
  assert.deepEqual(
    revisions.map(({ role }) => role),
    ['Stable', 'Candidate'],
  )
  assert.deepEqual(describeHistory(readRecordedLook('update-going-on')).rollouts, [])
})

test('a failure is that of the pod that has it, with what to do and what it rests on', () => {
  const { phase, lastFailure, instances } = describeLook('crash')
  assert.equal(phase, 'Failed')
  assert.equal(lastFailure?.reason, 'Crashed')
  assert.ok((lastFailure.evidence ?? []).length > 0 && lastFailure.hint !== null)
  assert.deepEqual(instances[0]?.lastFailure, lastFailure)
  assert.ok((instances[0]?.restarts ?? 0) > 0)
})

test('a new revision that fails leaves the old one serving', () => {
  const { phase, replicas, rollout } = describeLook('bad-update')
  assert.equal(phase, 'Degraded')
  assert.ok(replicas.ready >= replicas.desired)
  assert.equal(rollout?.candidate.ready, 0)
})

test('an autoscaler without figures says so, and no figure is made up', () => {
  const { scale } = describeLook('hpa-no-metrics')
  assert(scale !== null)
  assert.deepEqual(
    scale.metrics.map(({ replicas, usage }) => [replicas, usage]),
    scale.metrics.map(() => [null, null]),
  )
  assert.ok(scale.metrics.length > 0)
  assert.match(scale.reason, /metrics/)
})

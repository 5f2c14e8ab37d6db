import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { readRecordedLook } from '../../../test/kit/recorded-look.ts'
import { marks } from '../../cluster/concerns.ts'
import { explainService } from '../../cluster/explain/explain-service.ts'
import { byHand } from '../../cluster/orders/verdict.ts'
import { type ClusterRevision, listRevisions } from '../../cluster/revisions.ts'
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

/** The first revision comes back as the third one, and the second is left for this reason. */
function goBack(reason: string) {
  const look = readRecordedLook('bad-update')
  const [old, left] = listRevisions(look)
  assert(old !== undefined && left !== undefined)
  const withNotes = ({ replicaSet }: ClusterRevision, notes: Record<string, string>): ReplicaSet => {
    const { metadata, ...rest } = replicaSet
    return { ...rest, metadata: { ...metadata, annotations: { ...metadata?.annotations, ...notes } } }
  }
  return {
    ...look,
    replicaSets: [
      withNotes(left, { [marks.rejected]: reason }),
      withNotes(old, { 'deployment.kubernetes.io/revision': '3' }),
    ],
  }
}

test('a rollback by hand is followed to its end, also when the last old pod does not answer any more', () => {
  const goingBack = goBack(byHand.rolledBack)
  const { rollout } = describeService(goingBack, explainService(goingBack))
  assert.deepEqual([rollout?.id, rollout?.from, rollout?.to], ['revision-3', 2, 3])
})

test('on the way out of a revision that was given up, the one that comes back is the one that serves', () => {
  const goingBack = goBack('Crashed: it ended with exit code 1')
  const { revision, rollout, rejected, revisions } = describeService(goingBack, explainService(goingBack))
  assert.deepEqual([revision, rollout, rejected?.revision], [3, null, 2])
  assert.deepEqual(
    revisions.map(({ number, role }) => [number, role]),
    [
      [2, 'Rejected'],
      [3, 'Stable'],
    ],
  )
})

test('a service at rest that is paused goes nowhere: the revision that serves is the one it has', () => {
  const look = readRecordedLook('ready')
  const [set] = look.replicaSets
  assert(set !== undefined && look.deployment !== undefined)
  const numbered = (number: number, more: object): ReplicaSet => ({
    ...set,
    ...more,
    metadata: {
      ...set.metadata,
      name: `cats-${number}`,
      uid: number === 2 ? (set.metadata?.uid ?? '') : 'earlier',
      annotations: { ...set.metadata?.annotations, 'deployment.kubernetes.io/revision': String(number) },
    },
  })
  const { spec, status } = look.deployment
  assert(spec !== undefined)
  const conditions = (status?.conditions ?? []).map((condition) =>
    condition.type === 'Progressing' ? { ...condition, status: 'Unknown', reason: 'DeploymentPaused' } : condition,
  )
  const paused = {
    ...look,
    deployment: { ...look.deployment, spec: { ...spec, paused: true }, status: { ...status, conditions } },
    replicaSets: [numbered(1, { status: { replicas: 0 } }), numbered(2, {})],
  }
  const { revision, rollout, revisions } = describeService(paused, explainService(paused))
  assert.deepEqual([revision, rollout], [2, null])
  assert.deepEqual(
    revisions.map(({ role }) => role),
    ['Earlier', 'Stable'],
  )
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

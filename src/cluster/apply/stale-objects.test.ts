import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../kube/object.ts'
import { chooseStale } from './stale-objects.ts'

const nowMs = Date.UTC(2026, 0, 1)
const object = (kind: string, name: string, ageMs = 3_600_000): KubeObject => ({
  kind,
  metadata: { name, creationTimestamp: new Date(nowMs - ageMs).toISOString() },
})
const replicaSet = (map: string, account = 'cats'): KubeObject =>
  ({
    kind: 'ReplicaSet',
    metadata: { name: `cats-${map}` },
    spec: {
      template: {
        spec: { containers: [], serviceAccountName: account, volumes: [{ name: 's', configMap: { name: map } }] },
      },
    },
  }) as KubeObject
const choose = (objects: readonly KubeObject[], rendered: readonly KubeObject[], unseen: readonly string[] = []) =>
  chooseStale({ objects, unseen }, rendered, nowMs).map(({ kind, metadata }) => `${kind} ${metadata?.name}`)

test('what the spec leaves out goes, what it has stays', () => {
  const own = [object('HorizontalPodAutoscaler', 'cats'), object('PodDisruptionBudget', 'cats')]
  assert.deepEqual(choose(own, [object('PodDisruptionBudget', 'cats')]), ['HorizontalPodAutoscaler cats'])
})

test('settings stay as long as a revision is kept that is made with them', () => {
  const own = [
    object('ConfigMap', 'cats-1'),
    object('ConfigMap', 'cats-2'),
    object('ConfigMap', 'cats-3'),
    replicaSet('cats-2'),
  ]
  assert.deepEqual(choose(own, [object('ConfigMap', 'cats-3')]), ['ConfigMap cats-1'])
})

test('what a deploy beside this one has just made stays, for its pods will need it', () => {
  const own = [
    object('ConfigMap', 'cats-1', 5000),
    object('ServiceAccount', 'cats', 5000),
    object('ConfigMap', 'cats-2'),
  ]
  assert.deepEqual(choose([...own, object('NetworkPolicy', 'old', 5000)], []), [
    'ConfigMap cats-2',
    'NetworkPolicy old',
  ])
})

test('an account stays as long as pods of an earlier revision would run as it', () => {
  const own = [object('ServiceAccount', 'cats')]
  assert.deepEqual(choose([...own, replicaSet('a')], []), [])
  assert.deepEqual(choose([...own, replicaSet('a', 's3-reader')], []), ['ServiceAccount cats'])
})

test('who may not see the revisions takes nothing away that they may need', () => {
  const own = [object('ConfigMap', 'cats-1'), object('NetworkPolicy', 'old')]
  assert.deepEqual(choose(own, [], ['replicasets']), ['NetworkPolicy old'])
})

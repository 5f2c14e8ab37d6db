import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { factsOfNode, factsOfPod, factsOfQuota } from './facts-of-objects.ts'

test('a node is ready where it says so, and may give what is allocatable, not what it has', () => {
  const ready = factsOfNode({
    metadata: { name: 'a', labels: { zone: 'z' } },
    spec: {
      unschedulable: true,
      taints: [
        { key: 'team', value: 'x', effect: 'NoSchedule' },
        { key: 'k', effect: 'NoExecute' },
      ],
    },
    status: {
      capacity: { cpu: '8' },
      allocatable: { cpu: '7500m', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  })
  assert.deepEqual(ready, {
    name: 'a',
    labels: { zone: 'z' },
    taints: [
      { key: 'team', value: 'x', effect: 'NoSchedule' },
      { key: 'k', effect: 'NoExecute' },
    ],
    isReady: true,
    isCordoned: true,
    allocatable: { cpu: 7500, pods: 110 },
  })
  for (const conditions of [[{ type: 'Ready', status: 'Unknown' }], [{ type: 'Ready', status: 'False' }], []])
    assert.equal(factsOfNode({ status: { conditions } }).isReady, false)
})

const pod = (change: Partial<Pod>): Pod => ({
  metadata: { namespace: 'ml', name: 'p' },
  spec: { containers: [], nodeName: 'a' },
  ...change,
})

test('ended pods hold nothing, ending pods hold all of it', () => {
  for (const phase of ['Succeeded', 'Failed']) assert.equal(factsOfPod(pod({ status: { phase } })), undefined)
  const ending = factsOfPod(pod({ metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } }))
  assert.deepEqual([ending?.isTerminating, ending?.node], [true, 'a'])
})

test('a pod without a node waits, unless others are put aside for it', () => {
  assert.equal(factsOfPod(pod({ spec: { containers: [] } }))?.node, undefined)
  assert.equal(factsOfPod(pod({ spec: { containers: [] }, status: { nominatedNodeName: 'b' } }))?.node, 'b')
})

test('pods of a service are known by its labels', () => {
  const labels = { 'towline.dev/service': 'cats', 'towline.dev/revision': 'abc' }
  const facts = factsOfPod(pod({ metadata: { namespace: 'ml', name: 'p', labels } }))
  assert.deepEqual([facts?.service, facts?.revision], ['cats', 'abc'])
})

test('a quota counts by its status; one that counts some pods only is left to others', () => {
  const quota = {
    metadata: { name: 'gpus' },
    spec: { hard: { 'requests.nvidia.com/gpu': '8' } },
    status: { hard: { 'requests.nvidia.com/gpu': '4' }, used: { 'requests.nvidia.com/gpu': '1' } },
  }
  assert.deepEqual(factsOfQuota(quota), {
    name: 'gpus',
    hard: { 'requests.nvidia.com/gpu': 4 },
    used: { 'requests.nvidia.com/gpu': 1 },
  })
  assert.equal(factsOfQuota({ ...quota, spec: { scopes: ['BestEffort'] } }), undefined)
})

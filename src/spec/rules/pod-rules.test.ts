import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../source/finding.ts'
import { renderPath } from '../source/positioned-node.ts'
import { viewDocument } from './document-view.ts'
import { checkMounts, checkPodPatch } from './pod-rules.ts'

const pathsOf = (findings: readonly Finding[]): string[] => findings.map(({ path }) => renderPath(path.slice(2)))
const checkPatch = (patch: object): string[] => pathsOf(checkPodPatch(viewDocument({ spec: { pod: { patch } } })))
const checkPod = (pod: object): string[] => pathsOf(checkMounts(viewDocument({ spec: { pod } })))

test('a patch cannot change how our pods are found, nor take away what they stand on', () => {
  assert.deepEqual(checkPatch({ metadata: { labels: { 'towline.dev/service': 'x', team: 'a' } } }), [
    'patch.metadata.labels.towline.dev/service',
  ])
  assert.deepEqual(checkPatch({ metadata: { annotations: null } }), ['patch.metadata.annotations'])
  assert.deepEqual(
    checkPatch({ spec: { volumes: null, containers: [{ name: 'server', volumeMounts: null, ports: [] }] } }),
    ['patch.spec.volumes', 'patch.spec.containers[0].volumeMounts', 'patch.spec.containers[0].ports'],
  )
  assert.deepEqual(checkPatch({ spec: { volumes: [{ name: 'towline-settings', emptyDir: {} }] } }), [
    'patch.spec.volumes[0].name',
  ])
  assert.deepEqual(
    checkPatch({ containers: [{ name: 'server', volumeMounts: [{ name: 'a', mountPath: '/models/' }] }] }),
    ['patch.containers[0].volumeMounts[0].mountPath'],
  )
})

test('a patch may add volumes, labels and settings of its own', () => {
  assert.deepEqual(
    checkPatch({
      metadata: { labels: { team: 'a' } },
      spec: { priorityClassName: 'high', volumes: [{ name: 'work', emptyDir: {} }] },
    }),
    [],
  )
})

test('volumes and mounts do not take the names and places of our own', () => {
  assert.deepEqual(
    checkPod({
      volumes: [{ name: 'towline-x' }, { name: 'work' }],
      mounts: [
        { name: 'work', mountPath: '/etc/towline' },
        { name: 'work', mountPath: '/models/more' },
      ],
    }),
    ['volumes[0].name', 'mounts[0].mountPath'],
  )
})

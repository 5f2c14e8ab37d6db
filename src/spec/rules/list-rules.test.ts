import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewDocument } from './document-view.ts'
import { checkListKeys } from './list-rules.ts'

test('an item whose key stands in the list already is found, and so is a word in a set', () => {
  const spec = {
    pod: {
      volumes: [{ name: 'a' }, { name: 'b' }, { name: 'a' }],
      mounts: [
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/b' },
        { name: 'b', mountPath: '/a' },
      ],
      imagePullSecrets: [{ name: 'a' }, {}, {}],
    },
    expose: { hostnames: ['a.example', 'b.example', 'a.example'] },
    autoscaling: { prometheus: [{ name: 'jobs' }, { name: 'jobs' }] },
  }
  assert.deepEqual(
    checkListKeys(viewDocument({ spec })).map(({ path, message }) => `${path.join('.')} ${message}`),
    [
      'spec.autoscaling.prometheus.1.name `jobs` is already in `autoscaling.prometheus`; remove one of the two',
      'spec.pod.volumes.2.name `a` is already in `pod.volumes`; remove one of the two',
      'spec.pod.mounts.2.mountPath `/a` is already in `pod.mounts`; remove one of the two',
      'spec.expose.hostnames.2 `a.example` is already in `expose.hostnames`; remove one of the two',
    ],
  )
})

test('lists of anything are no throw', () => {
  const spec = { pod: { volumes: 'a', mounts: [1, null] }, expose: { hostnames: [{}, {}] } }
  assert.deepEqual(checkListKeys(viewDocument({ spec })), [])
})

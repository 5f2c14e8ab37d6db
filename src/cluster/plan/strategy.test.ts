import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeObject } from '../../kube/object.ts'
import { type Manner, chooseManner, mannerOf, withManner } from './strategy.ts'

const deployment = { kind: 'Deployment', spec: { selector: {}, template: {} } } as Deployment & KubeObject

test('only Auto goes by the room there is, and only where pods are replaced', () => {
  for (const wish of ['Surge', 'Swap', 'Recreate'] as const)
    assert.equal(chooseManner(wish, { isReplaced: true, placement: 'Swap' }), undefined)
  assert.equal(chooseManner('Auto', { isReplaced: false, placement: 'Swap' }), 'AsBefore')
  for (const placement of ['Swap', 'Recreate'] as const)
    assert.equal(chooseManner('Auto', { isReplaced: true, placement }), placement)
  for (const placement of ['Surge', 'Wait', 'Unknown', 'Impossible'] as const)
    assert.equal(chooseManner('Auto', { isReplaced: true, placement }), 'Surge')
})

test('what is written reads back as what was meant', () => {
  for (const manner of ['Surge', 'Swap', 'Recreate'] as const satisfies readonly Manner[])
    assert.equal(mannerOf(withManner(deployment, manner) as Deployment), manner)
})

test('as before is what the cluster has; other objects have no strategy', () => {
  const live = withManner(deployment, 'Swap') as Deployment
  assert.equal(mannerOf(withManner(deployment, 'AsBefore', live) as Deployment), 'Swap')
  assert.equal(withManner(deployment, 'AsBefore'), deployment)
  const service: KubeObject = { kind: 'Service' }
  assert.equal(withManner(service, 'Swap'), service)
})

test('a surge by percent is one, too', () => {
  const spec = { ...deployment.spec, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } }
  assert.equal(mannerOf({ ...deployment, spec } as Deployment), 'Surge')
  const none = { ...deployment.spec, strategy: { rollingUpdate: { maxSurge: '0%', maxUnavailable: 1 } } }
  assert.equal(mannerOf({ ...deployment, spec: none } as Deployment), 'Swap')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject } from '../../kube/object.ts'
import { compareObjects } from './field-changes.ts'

const deployment = (container: object, more: object = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cats', ...more },
    spec: { template: { spec: { containers: [{ name: 'server', ...container }] } } },
  }) as KubeObject

const pathsOf = (live: KubeObject, planned: KubeObject): readonly unknown[] =>
  compareObjects(live, planned).map(({ path, from, to }) => [path, from, to])

const prefix = 'spec.template.spec.containers[server]'

test('containers, variables and ports are told by what names them, whatever their order', () => {
  const live = deployment({
    image: 'a',
    ports: [
      { name: 'http', containerPort: 1 },
      { name: 'metrics', containerPort: 2 },
    ],
  })
  const planned = deployment({
    image: 'b',
    ports: [
      { name: 'metrics', containerPort: 2 },
      { name: 'http', containerPort: 3 },
    ],
  })
  assert.deepEqual(pathsOf(live, planned), [
    [`${prefix}.image`, 'a', 'b'],
    [`${prefix}.ports[http].containerPort`, 1, 3],
  ])
})

test('values of env are never shown, references are', () => {
  const from = (name: string) => ({ name: 'HF', valueFrom: { secretKeyRef: { name, key: 'token' } } })
  const live = deployment({ env: [{ name: 'MODE', value: 'tell-nobody' }, from('a')] })
  const planned = deployment({
    env: [{ name: 'MODE', value: 'nor-this' }, from('b'), { name: 'NEW', value: 'nor-that' }],
  })
  assert.deepEqual(pathsOf(live, planned), [
    [`${prefix}.env[MODE].value`, '(a value)', '(a value)'],
    [`${prefix}.env[HF].valueFrom.secretKeyRef.name`, 'a', 'b'],
    [`${prefix}.env[NEW]`, null, '(a value)'],
  ])
  assert.deepEqual(
    pathsOf(deployment({}), planned).map((change) => (change as string[])[0]),
    [`${prefix}.env[MODE]`, `${prefix}.env[HF]`, `${prefix}.env[NEW]`],
  )
})

test('what a server writes with each write is no change', () => {
  const live = deployment({}, { resourceVersion: '1', generation: 1, uid: 'x', managedFields: [] })
  const planned = deployment({}, { resourceVersion: '2', generation: 2, uid: 'y' })
  assert.deepEqual(compareObjects({ ...live, status: { replicas: 1 } } as KubeObject, planned), [])
})

test('a field that somebody else set is told with who it was, also inside a list', () => {
  const fieldsV1 = {
    'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"server"}': { 'f:image': {} } } } } },
  }
  const managedFields = [
    { manager: 'towline', operation: 'Apply', fieldsV1 },
    { manager: 'kubectl-set', operation: 'Update', fieldsV1 },
    { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:metadata': {} } },
  ]
  const [change] = compareObjects(deployment({ image: 'theirs' }, { managedFields }), deployment({ image: 'ours' }))
  assert.deepEqual(change?.setBy, ['kubectl-set'])
})

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', 1, true),
    fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value

test('nothing changes exactly where nothing differs', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const object = (spec: unknown): KubeObject => ({ kind: 'X', metadata: { name: 'x' }, spec }) as KubeObject
      assert.deepEqual(compareObjects(object(a), object(structuredClone(a))), [])
      const changes = compareObjects(object(a), object(b))
      if (changes.length === 0) assert.deepEqual(normalise(a), normalise(b))
    }),
  )
})

/** A list or a map without anything in it says as little as none. */
function normalise(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(normalise)
  const entries = Object.entries(value).map(([key, inner]) => [key, normalise(inner)] as const)
  const told = entries.filter(([, inner]) => inner !== undefined)
  return told.length === 0 ? undefined : Object.fromEntries(told)
}

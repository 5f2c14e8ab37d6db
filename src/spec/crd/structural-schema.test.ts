import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeStructural } from './structural-schema.ts'

test('a text keeps its bounds, and the word `strict` has no counterpart: a cluster refuses unknown fields by itself', () => {
  const text = { type: 'string', maxLength: 5, pattern: '^a$', description: 'A.' }
  assert.deepEqual(writeStructural(text, 'spec.a'), text)
  assert.deepEqual(
    writeStructural(
      { type: 'object', properties: { a: text }, required: ['a'], additionalProperties: false },
      'spec.x',
    ),
    { type: 'object', properties: { a: text }, required: ['a'] },
  )
})

test('a quantity is a whole number or a short text', () => {
  const quantity = { anyOf: [{ type: 'string' }, { type: 'number' }], 'x-kubernetes-int-or-string': true }
  assert.deepEqual(writeStructural(quantity, 'spec.resources.cpu'), {
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    maxLength: 40,
    'x-kubernetes-int-or-string': true,
  })
})

test('lists merge on a cluster as overlays do: by key, as a set, or as a whole', () => {
  const list = { type: 'array', items: { type: 'string' }, maxItems: 3 }
  const ofList = (path: string): unknown => {
    const written = writeStructural(list, path)
    return [written['x-kubernetes-list-type'], written['x-kubernetes-list-map-keys'], written['maxItems']]
  }
  assert.deepEqual(ofList('spec.env'), ['map', ['name'], 3])
  assert.deepEqual(ofList('spec.pod.mounts'), ['map', ['mountPath'], 3])
  assert.deepEqual(ofList('spec.expose.hostnames'), ['set', undefined, 3])
  assert.deepEqual(ofList('spec.rollout.steps'), ['atomic', undefined, 3])
})

test('a reference is replaced as a whole, in a list as well', () => {
  const reference = { type: 'object', properties: { name: { type: 'string' } } }
  assert.equal(writeStructural(reference, 'spec.model.auth.secretRef')['x-kubernetes-map-type'], 'atomic')
  assert.equal(writeStructural(reference, 'spec.env[].valueFrom.secretKeyRef')['x-kubernetes-map-type'], 'atomic')
  assert.equal(writeStructural(reference, 'spec.model.auth')['x-kubernetes-map-type'], undefined)
})

test("Kubernetes' own structures keep every field", () => {
  const open = { type: 'object', additionalProperties: {}, propertyNames: { type: 'string' } }
  assert.deepEqual(writeStructural(open, 'spec.pod.tolerations[]'), {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  })
})

test('a keyword that would be lost, and a choice that a cluster cannot hold, are bugs', () => {
  assert.throws(() => writeStructural({ type: 'string', format: 'uri' }, 'spec.a'), /spec\.a has format, which has no/)
  assert.throws(() => writeStructural({ anyOf: [{ type: 'string' }] }, 'spec.a'), /spec\.a is a choice of types/)
  assert.throws(() => writeStructural({ type: 'array' }, 'spec.a'), /spec\.a has no items/)
})

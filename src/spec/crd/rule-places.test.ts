import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructuralSchema } from './open-api.ts'
import { placeRules } from './rule-places.ts'

const schema: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        env: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
        image: { type: 'string' },
      },
    },
  },
}

test('a rule stands at the part that it sees as self: the whole, a field, an item of a list', () => {
  const placed = placeRules(schema, [
    { at: '', rule: 'whole', say: { message: 'a' } },
    { at: 'spec.image', rule: 'image', say: { messageExpression: 'b' } },
    { at: 'spec.env[]', field: 'name', rule: 'item', say: { message: 'c' } },
    { at: 'spec.env[]', rule: 'second', say: { message: 'd' } },
  ])
  const spec = placed.properties?.['spec']
  assert.deepEqual(placed['x-kubernetes-validations'], [{ rule: 'whole', message: 'a' }])
  assert.deepEqual(spec?.properties?.['image']?.['x-kubernetes-validations'], [
    { rule: 'image', messageExpression: 'b' },
  ])
  assert.deepEqual(spec?.properties?.['env']?.items?.['x-kubernetes-validations'], [
    { rule: 'item', message: 'c', fieldPath: '.name' },
    { rule: 'second', message: 'd' },
  ])
  assert.equal(spec?.['x-kubernetes-validations'], undefined)
})

test('a rule of a part that is not there is a bug', () => {
  const rule = { at: 'spec.imag', rule: 'true', say: { message: 'a' } }
  assert.throws(() => placeRules(schema, [rule]), /there is nothing at spec\.imag/)
})

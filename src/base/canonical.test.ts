import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, hashOf } from './canonical.ts'

test('the canonical form is JSON of the same value and does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))
      const reversed = Object.fromEntries(Object.entries(value).toReversed())
      assert.equal(hashOf(reversed), hashOf(value))
    }),
  )
  assert.equal(canonicalJson({ b: 1, a: undefined }), '{"b":1}')
})

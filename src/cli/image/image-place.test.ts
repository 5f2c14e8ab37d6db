import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlace } from './image-place.ts'

test('a place is a registry, a layout or an archive; a path that could be either is asked back', () => {
  const here = import.meta.dirname
  assert.deepEqual(parsePlace('reg.example.com/cats:1', here), {
    kind: 'Registry',
    reference: 'reg.example.com/cats:1',
  })
  assert.equal(parsePlace('oci:./image:cats', here).kind, 'Layout')
  for (const path of ['image-place.ts', './image', '/tmp/x'])
    assert.throws(() => parsePlace(path, here), { code: 'TL_USAGE', message: /is a path/ }, path)
  assert.throws(() => parsePlace('scratch', here), { code: 'TL_USAGE' })
})

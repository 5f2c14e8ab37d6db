import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arrangeEntries, type LayerEntry } from './entry.ts'

const file = (path: string): LayerEntry => ({
  kind: 'File',
  path,
  mode: 0o644,
  content: { kind: 'Bytes', bytes: new Uint8Array(0) },
})
const link = (path: string, target: string): LayerEntry => ({ kind: 'Link', path, target })

test('entries are sorted by the bytes of their paths, not by locale, case or UTF-16', () => {
  const paths = ['b', 'a/x', 'a-b', 'B', 'ä', '\u{1F600}', '\uFF5E', 'a.b']
  assert.deepEqual(
    arrangeEntries(paths.map(file)).map(({ path }) => path),
    ['B', 'a-b', 'a.b', 'a/x', 'b', 'ä', '\uFF5E', '\u{1F600}'],
  )
})

test('a path that no image may hold is refused, and the message shows it', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['/etc/passwd', /"\/etc\/passwd" is absolute/],
    ['a//b', /empty part/],
    ['a/', /empty part/],
    ['', /empty part/],
    ['a/../b', /\. or \.\./],
    ['./a', /\. or \.\./],
    ['a\0b', /NUL/],
    ['a\uD800', /Unicode/],
    [`${'d/'.repeat(2048)}f`, /longer than 4096/],
    ['ä'.repeat(128), /longer than 255/],
    ['app/.wh.model', /deletes files/],
  ]
  for (const [path, message] of refused)
    assert.throws(() => arrangeEntries([file(path)]), { code: 'TL_CONTEXT_REFUSED', message })
})

test('a link may lead anywhere in the image, and nowhere else', () => {
  for (const target of ['b', '../b', '../../b', '/usr/bin/node', 'c/../d'])
    assert.equal(arrangeEntries([link('x/y/a', target)]).length, 1, target)
  for (const target of ['', '../../../b', '/../b', 'c/../../../../d', 'a\0'])
    assert.throws(() => arrangeEntries([link('x/y/a', target)]), { code: 'TL_CONTEXT_REFUSED' }, target)
})

test('a path that is there twice, and a file that is a folder too, are refused', () => {
  assert.throws(() => arrangeEntries([file('a'), link('a', 'b')]), /"a" is there twice/)
  assert.throws(() => arrangeEntries([file('a/b/c'), file('a')]), /"a\/b\/c" lies in "a", which is no folder/)
  assert.throws(() => arrangeEntries([file('a/b'), link('a', 'c')]), /no folder/)
})

test('the order that entries are given in never matters', () => {
  const paths = fc.uniqueArray(fc.stringMatching(/^[a-c-]{1,3}$/), { minLength: 1 })
  fc.assert(
    fc.property(paths, fc.func(fc.nat()), (names, rank) => {
      const shuffled = names.toSorted((a, b) => rank(a) - rank(b))
      assert.deepEqual(arrangeEntries(shuffled.map(file)), arrangeEntries(names.map(file)))
    }),
  )
})

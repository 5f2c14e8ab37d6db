import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSourceText } from './source-text.ts'

test('a place is found by walking the text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '😀'), maxLength: 60 }),
      fc.nat(80),
      (text, offset) => {
        const before = text.slice(0, Math.min(offset, text.length)).split('\n')
        const { line, column } = createSourceText('f', text).range(offset)
        assert.deepEqual([line, column], [before.length, (before.at(-1)?.length ?? 0) + 1])
      },
    ),
  )
})

test('a range keeps its end behind its start', () => {
  assert.deepEqual(createSourceText('f', 'ab\ncd').range(1, 4), {
    file: 'f',
    line: 1,
    column: 2,
    endLine: 2,
    endColumn: 2,
  })
  assert.deepEqual(createSourceText('f', 'ab').range(2, 0), { file: 'f', line: 1, column: 3, endLine: 1, endColumn: 3 })
})

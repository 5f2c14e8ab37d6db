import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader } from './header.ts'

test('a PAX record comes only where ustar has no room, and its name is always the same', () => {
  const blocks = (path: string, sizeBytes = 0): number =>
    encodeHeader({ kind: 'File', path, mode: 0o644, sizeBytes, mtimeS: 0 }).length / 512
  assert.equal(blocks('x'.repeat(100)), 1)
  assert.equal(blocks('x'.repeat(101)), 3)
  assert.equal(blocks(`${'p'.repeat(155)}/${'x'.repeat(100)}`), 1)
  assert.equal(blocks(`${'p'.repeat(156)}/${'x'.repeat(100)}`), 3)
  assert.equal(blocks('x', 8 * 2 ** 30 - 1), 1)
  assert.equal(blocks('x', 8 * 2 ** 30), 3)
  const pax = encodeHeader({ kind: 'File', path: 'y'.repeat(300), mode: 0o644, sizeBytes: 0, mtimeS: 0 })
  assert.equal(pax.toString('latin1', 0, 14), '././@PaxHeader')
})

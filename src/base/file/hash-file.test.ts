import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { hashFile } from './hash-file.ts'

test('a file of several pieces has the digest of its bytes, and a missing one is a system error', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-hash-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const bytes = Buffer.alloc(3_000_001, 'abc')
  writeFileSync(join(dir, 'a'), bytes)
  for (const algorithm of ['sha256', 'sha512'] as const)
    assert.deepEqual(await hashFile(join(dir, 'a'), algorithm), createHash(algorithm).update(bytes).digest())
  await assert.rejects(hashFile(join(dir, 'none')), { code: 'ENOENT' })
})

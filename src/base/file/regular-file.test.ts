import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRegularFile } from './regular-file.ts'

test('a file is read up to its limit; a pipe, a device and a folder are refused at once', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'towline-regular-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'a')
  writeFileSync(file, 'text')
  assert.equal(readRegularFile(file, 4).toString(), 'text')
  assert.throws(() => readRegularFile(file, 3), /has 4 bytes, at most 3 are read/)
  const pipe = join(dir, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const other of [pipe, '/dev/zero', dir]) assert.throws(() => readRegularFile(other, 4), /is no regular file/)
  assert.throws(() => readRegularFile(join(dir, 'none'), 4), { code: 'ENOENT' })
})

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeFileAtomic } from './atomic-file.ts'

test('a file is replaced whole, with its mode, and no draft stays behind', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-atomic-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'state.json')
  writeFileAtomic(file, 'first')
  writeFileAtomic(file, new Uint8Array([115, 50]), 0o600)
  assert.equal(readFileSync(file, 'utf8'), 's2')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), ['state.json'])
})

test('a folder that is not there is a failure that names the file', () => {
  const file = join(tmpdir(), 'towline-no-such-folder', 'state.json')
  assert.throws(() => writeFileAtomic(file, ''), { code: 'TL_FILE_UNWRITABLE', message: /state\.json \(ENOENT\)/ })
})

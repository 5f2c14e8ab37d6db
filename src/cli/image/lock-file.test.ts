import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTerminal } from '../term/terminal.ts'
import { lockFileOf, nameInLocks, readLock, writeLock } from './lock-file.ts'

const digest = `sha256:${'a'.repeat(64)}`
const terminal = { ...createTerminal(process), err: () => undefined }

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('the lock lies beside its spec, and each overlay has one of its own', () => {
  assert.equal(lockFileOf('a/towline.yaml', undefined), 'a/towline.lock')
  assert.equal(lockFileOf('a/towline.config.ts', undefined), 'a/towline.lock')
  assert.equal(lockFileOf('a/towline.yaml', 'production'), 'a/towline.production.lock')
})

test('a lock that says the same is left alone, and a damaged one is never passed over', async (t) => {
  const file = join(createFolder(t), 'towline.lock')
  assert.equal(await readLock(terminal, file), undefined)
  const lock = { inputs: 'aa', image: `cats@${digest}` }
  assert.equal(writeLock(file, lock), true)
  assert.equal(writeLock(file, lock), false)
  assert.deepEqual(await readLock(terminal, file), lock)
  writeFileSync(file, 'image: cats:1\n')
  await assert.rejects(readLock(terminal, file), { code: 'TL_LOCK_UNREADABLE' })
  rmSync(file)
  mkdirSync(file)
  await assert.rejects(readLock(terminal, file), { code: 'TL_FILE_UNREADABLE' })
})

test('a push gives its name to the locks of this image, and to no other', async (t) => {
  const folder = createFolder(t)
  const other = `image: cats@sha256:${'b'.repeat(64)}\n`
  writeFileSync(join(folder, 'towline.lock'), `inputs: a\nimage: cats@${digest}\n`)
  writeFileSync(join(folder, 'towline.staging.lock'), other)
  writeFileSync(join(folder, 'package.lock'), 'not ours')
  symlinkSync('nowhere', join(folder, '.#towline.lock'))
  const changed = await nameInLocks(folder, digest, `localhost:5000/team/cats:1@${digest}`)
  assert.deepEqual(changed, [join(folder, 'towline.lock')])
  assert.match(readFileSync(join(folder, 'towline.lock'), 'utf8'), /^image: localhost:5000\/team\/cats@sha256:a{64}$/m)
  assert.equal(readFileSync(join(folder, 'towline.staging.lock'), 'utf8'), other)
  assert.deepEqual(await nameInLocks(folder, digest, `localhost:5000/team/cats:2@${digest}`), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TowlineError } from '../errors.ts'
import { explainWrite } from './write-failure.ts'

test('a full disk and a file that cannot be written are told apart, and bugs stay bugs', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code })
  const seen = (cause: unknown) => {
    const failure = explainWrite(cause, '/a/b')
    return failure instanceof TowlineError ? [failure.code, failure.detail] : failure
  }
  assert.deepEqual(seen(system('ENOSPC')), ['TL_DISK_FULL', 'writing /a/b'])
  assert.deepEqual(seen(system('EDQUOT')), ['TL_DISK_FULL', 'writing /a/b'])
  assert.deepEqual(seen(system('EROFS')), ['TL_FILE_UNWRITABLE', '/a/b (EROFS)'])
  const bug = new TypeError('x')
  assert.equal(seen(bug), bug)
  const known = new TowlineError('TL_CANCELLED', 'x')
  assert.equal(explainWrite(known, '/a/b'), known)
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readApiKeys } from './secret-files.ts'

function write(t: TestContext, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-keys-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'keys')
  writeFileSync(file, text)
  return file
}

test('each caller has a key, and only its hash goes on', (t) => {
  const file = write(t, '# callers\nann=0123456789abcdef\nbob="fedcba9876543210"\n')
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex')
  assert.deepEqual(readApiKeys(file), [
    { caller: 'ann', sha256: hash('0123456789abcdef') },
    { caller: 'bob', sha256: hash('fedcba9876543210') },
  ])
})

test('all that is wrong with the keys is said at once, and no key is shown', (t) => {
  const file = write(
    t,
    'ann=short-secret\nbob="with blanks in the secret"\ncat=0123456789abcdef\ndan=0123456789abcdef\n',
  )
  assert.throws(
    () => readApiKeys(file),
    ({ message }: Error) => {
      assert.match(message, /key of ann has 12 characters, fewer than 16; the key of bob has blanks/)
      assert.match(message, /cat and dan have the same key/)
      assert.doesNotMatch(message, /secret|0123/)
      return true
    },
  )
  assert.throws(() => readApiKeys(write(t, '\n')), /no line CALLER=KEY/)
  assert.throws(() => readApiKeys('/no/such/file'), { code: 'TL_FILE_MISSING' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childEnv } from './child-env.ts'

test('a child gets what its spec says and little else', () => {
  const own = { PATH: '/bin', LC_ALL: 'C', AWS_SECRET_ACCESS_KEY: 'x', NODE_OPTIONS: '--inspect', TZ: 'UTC' }
  assert.deepEqual(
    childEnv(own, [
      { name: 'TZ', value: 'Europe/Rome' },
      { name: 'A', value: '1' },
    ]),
    {
      PATH: '/bin',
      LC_ALL: 'C',
      TZ: 'Europe/Rome',
      A: '1',
    },
  )
})

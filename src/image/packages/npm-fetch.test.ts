import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchWithNpm, pickLines } from './npm-fetch.ts'

test('what is no name and version of a package never reaches npm', async () => {
  const rest = { integrity: 'sha512-', path: 'node_modules/x' }
  for (const [name, version] of [
    ['--registry=http://evil.example', '1.0.0'],
    ['../x', '1.0.0'],
    ['x', 'latest'],
    ['x', '1.0.0 --foo'],
    ['x', 'file:../y'],
  ] as const)
    await assert.rejects(fetchWithNpm([{ name, version, ...rest }], '/nowhere'), {
      code: 'TL_PACKAGE_UNAVAILABLE',
      message: /is no name and version/,
    })
})

test('a build that was cancelled fetches nothing', async () => {
  const reason = new Error('enough')
  const locked = { name: 'x', version: '1.0.0', integrity: 'sha512-', path: 'node_modules/x' }
  await assert.rejects(fetchWithNpm([locked], '/nowhere', AbortSignal.abort(reason)), reason)
})

test('of what npm says the reason is shown, without stack, dump and log', () => {
  const said = [
    'npm error code ECONNREFUSED',
    'npm error syscall connect',
    'npm error errno ECONNREFUSED',
    'npm error \u001b[31mFetchError: request to http://127.0.0.1:9/zod failed, reason: connect ECONNREFUSED\u001b[39m',
    'npm error     at ClientRequest.<anonymous> (/usr/lib/npm/index.js:130:14) {',
    "npm error   code: 'ECONNREFUSED',",
    'npm error }',
    'npm error',
    'npm error A complete log of this run can be found in: /home/a/.npm/_logs/x-debug-0.log',
    '',
  ]
  assert.equal(
    pickLines(said.join('\n')),
    'code ECONNREFUSED; FetchError: request to http://127.0.0.1:9/zod failed, reason: connect ECONNREFUSED',
  )
  assert.equal(pickLines(''), 'it said nothing')
})

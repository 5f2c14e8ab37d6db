import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionFailure } from './exchange.ts'
import { isTemporaryFailure, isTemporaryStatus, retryDelayMs } from './retry.ts'

const answer = (retryAfter: string) => ({
  status: 429,
  url: new URL('http://a'),
  headers: { 'retry-after': retryAfter },
  body: new Uint8Array(),
})

test('the waits grow threefold from a second, and are spread', () => {
  assert.deepEqual(
    [1, 2, 3].map((failures) => retryDelayMs(failures, undefined, 1, 0)),
    [1000, 3000, 9000],
  )
  assert.equal(retryDelayMs(1, undefined, 0, 0), 500)
})

test('a registry that asks for more patience gets it, up to a minute', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z')
  assert.equal(retryDelayMs(1, answer('7'), 1, nowMs), 7000)
  assert.equal(retryDelayMs(1, answer('Thu, 01 Jan 2026 00:00:20 GMT'), 1, nowMs), 20_000)
  assert.equal(retryDelayMs(1, answer('21600'), 1, nowMs), 60_000)
  for (const odd of ['0', '-5', 'soon', 'Thu, 01 Jan 2020 00:00:20 GMT', ''])
    assert.equal(retryDelayMs(1, answer(odd), 1, nowMs), 1000, odd)
})

test('a wrong address is not tried again, a registry that restarts is', () => {
  const failure = (code: string) => new ConnectionFailure('', Object.assign(new Error(), { code }))
  assert.equal(isTemporaryFailure(failure('ECONNRESET'), false), true)
  assert.equal(isTemporaryFailure(failure('ENOTFOUND'), true), false)
  assert.equal(isTemporaryFailure(failure('ECONNREFUSED'), false), false)
  assert.equal(isTemporaryFailure(failure('ECONNREFUSED'), true), true)
  assert.equal(isTemporaryFailure(failure('DEPTH_ZERO_SELF_SIGNED_CERT'), true), false)
  assert.deepEqual([404, 401, 400, 416, 501].filter(isTemporaryStatus), [])
})

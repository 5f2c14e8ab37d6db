import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from './backoff.ts'

test('waits double up to the limit, and chance spreads them over the upper half', () => {
  const backoff = { firstMs: 1000, factor: 2, maxMs: 30_000 }
  assert.deepEqual(
    [0, 1, 2, 5, 400].map((attempt) => backoffMs(backoff, attempt)),
    [1000, 2000, 4000, 30_000, 30_000],
  )
  assert.equal(backoffMs(backoff, 2, 0), 2000)
})

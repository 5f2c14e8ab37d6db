import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareOf, tallyOf } from './evidence.ts'

test('extrapolated counts are never more bad answers than answers', () => {
  assert.deepEqual(tallyOf({ requests: 9.5, errors: 10.2, slow: 3 }, 'Errors'), { requests: 9.5, bad: 9.5 })
  assert.deepEqual(tallyOf({ requests: 9.5, errors: 10.2, slow: 3 }, 'Slow'), { requests: 9.5, bad: 3 })
})

test('the share of nothing is unknown', () => {
  assert.equal(shareOf({ requests: 0, bad: 0 }), null)
  assert.equal(shareOf({ requests: 8, bad: 2 }), 0.25)
})

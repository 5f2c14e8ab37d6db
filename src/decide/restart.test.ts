import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideRestart, longestRestartWaitMs } from './restart.ts'

test('the first restart comes almost at once, the next ones wait twice as long each, up to 30 s', () => {
  const waits: number[] = []
  let failuresInRow = 0
  for (let index = 0; index < 9; index++) {
    const decision = decideRestart({ failuresInRow, readyMs: 0, hopeless: false })
    waits.push(decision.waitMs)
    failuresInRow = decision.failuresInRow
  }
  assert.deepEqual(waits, [200, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('having served for a while forgives what was before', () => {
  assert.deepEqual(decideRestart({ failuresInRow: 7, readyMs: 30_000, hopeless: false }), {
    waitMs: 200,
    failuresInRow: 1,
  })
  assert.equal(decideRestart({ failuresInRow: 7, readyMs: 29_999, hopeless: false }).waitMs, 30_000)
})

test('what another try cannot mend waits long at once', () => {
  assert.equal(decideRestart({ failuresInRow: 0, readyMs: 0, hopeless: true }).waitMs, 60_000)
})

test('no wait is longer than the longest, and a failure always counts', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(100_000), fc.boolean(), (failuresInRow, readyMs, hopeless) => {
      const decision = decideRestart({ failuresInRow, readyMs, hopeless })
      assert.ok(decision.waitMs > 0 && decision.waitMs <= longestRestartWaitMs)
      assert.ok(decision.failuresInRow >= 1)
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldCrash, noCrash } from './crash.ts'

const tolerance = { ratio: 1.25, floor: 0.01 }
const window = (requests: number, errors: number, stableErrors = 0) => ({
  durationMs: 10_000,
  candidate: { requests, errors, slow: 0 },
  stable: { requests: 100, errors: stableErrors, slow: 0 },
})
type Shown = ReturnType<typeof window>
const crashed = (windows: readonly Shown[], policy = tolerance): boolean =>
  windows.reduce((state, next) => foldCrash(state, next, policy), noCrash).crashed

test('half of the answers wrong in two windows in a row is a crash, and stays one', () => {
  assert.equal(crashed([window(10, 5), window(10, 5)]), true)
  assert.equal(crashed([window(10, 5), window(10, 5), window(100, 0)]), true)
})

test('one window, two with a good one between, few answers, or a bit less than half is none', () => {
  assert.equal(crashed([window(1000, 1000)]), false)
  assert.equal(crashed([window(10, 10), window(10, 0), window(10, 10)]), false)
  assert.equal(crashed([window(9, 9), window(9, 9), window(9, 9)]), false)
  assert.equal(crashed([window(100, 49), window(100, 49)]), false)
})

test('what hits the stable revision alike, or is tolerated, is no crash of the candidate', () => {
  assert.equal(crashed([window(10, 6, 55), window(10, 6, 55)]), false)
  assert.equal(crashed([window(10, 6), window(10, 6)], { ratio: 1.25, floor: 0.7 }), false)
  assert.equal(crashed([window(10, 9, 40), window(10, 9, 40)]), true)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aboveFloor, aboveStable } from './bet.ts'
import { growthOf } from './growth.ts'

const bet = { ratio: 1.25, floor: 0.01, expected: 0.005, clumping: 0.05 }
const requests = { candidate: 100, stable: 900 }

test('a stake grows where the truth is beyond the hypothesis, and shrinks where it is not', () => {
  for (const kind of [aboveFloor, aboveStable]) {
    const mean = (candidate: number): number => growthOf(kind, bet, requests, { candidate, stable: 0.005 }, 0.6).mean
    assert.ok(mean(0.005) < 0)
    assert.ok(mean(0.02) > 0)
    assert.ok(mean(0.05) > mean(0.02))
  }
})

test('counted one by one or as a normal distribution, many answers give nearly the same', () => {
  const at = (perWindow: number) =>
    growthOf(aboveFloor, bet, { candidate: perWindow, stable: 0 }, { candidate: 0.02, stable: 0 }, 0.6)
  const below = at(2480)
  const above = at(2520)
  assert.ok(Math.abs(above.mean / below.mean - 1) < 0.05)
  assert.ok(Math.abs(Math.sqrt(above.variance / below.variance) - 1) < 0.1)
})

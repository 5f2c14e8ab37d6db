import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Capital, playWindow, startCapital, worthOf } from './capital.ts'

const windowMs = 10_000
const play = (factors: readonly number[]): Capital =>
  factors.reduce((capital, factor) => playWindow(capital, windowMs, () => factor), startCapital)

test('it begins as one, and a game that neither wins nor loses leaves it so', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_600_000 }), { maxLength: 50 }), (durations) => {
      const end = durations.reduce((capital, durationMs) => playWindow(capital, durationMs, () => 1), startCapital)
      assert.ok(Math.abs(worthOf(end) - 1) < 1e-9)
    }),
  )
})

test('a stake that lost everything leaves the reserve, which wins when luck turns', () => {
  const lost = play(Array.from({ length: 30 }, () => 0))
  assert.ok(worthOf(lost) > 0 && worthOf(lost) < 0.2)
  const won = Array.from({ length: 30 }, () => 1.5).reduce(
    (capital, factor) => playWindow(capital, windowMs, () => factor),
    lost,
  )
  assert.ok(worthOf(won) > 20)
})

test('whatever the factors are, it stays a finite number that is not negative', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 10, noNaN: true }), { maxLength: 400 }), (factors) => {
      const worth = worthOf(play(factors))
      assert.ok(worth >= 0 && Number.isFinite(worth))
    }),
  )
})

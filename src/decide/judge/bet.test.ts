import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Bet, aboveFloor, aboveStable, belowFloor, belowStable } from './bet.ts'

const kinds = [aboveFloor, belowFloor, aboveStable, belowStable]
const share = fc.double({ min: 0, max: 1, noNaN: true })
const requests = fc.integer({ min: 1, max: 100_000 })
const tally = fc.tuple(requests, share).map(([count, bad]) => ({ requests: count, bad: Math.floor(count * bad) }))
const anyBet: fc.Arbitrary<Bet> = fc.record({
  candidate: tally,
  stable: tally,
  ratio: fc.double({ min: 1, max: 100, noNaN: true }),
  floor: fc.double({ min: 0.001, max: 1, noNaN: true }),
  expected: share,
  clumping: share,
})
const size = fc.constantFrom(0.2, 0.6)

test('a stake never goes below nothing and never doubles more than once in a window', () => {
  fc.assert(
    fc.property(anyBet, size, (bet, size) => {
      for (const kind of kinds) {
        const factor = kind(bet, size)
        assert.ok(factor >= 0 && factor <= 2, `${kind.name} gave ${factor}`)
      }
    }),
  )
})

test('more bad answers of the candidate never lower what an alarm wins, nor raise what a proof wins', () => {
  fc.assert(
    fc.property(anyBet, size, fc.nat(1000), (bet, size, more) => {
      const bad = Math.min(bet.candidate.requests, bet.candidate.bad + more)
      const worse = { ...bet, candidate: { ...bet.candidate, bad } }
      for (const kind of [aboveFloor, aboveStable]) assert.ok(kind(worse, size) >= kind(bet, size))
      for (const kind of [belowFloor, belowStable]) assert.ok(kind(worse, size) <= kind(bet, size))
    }),
  )
})

test('within the floor an alarm wins nothing on average, however the bad answers of a window hang together', () => {
  fc.assert(
    fc.property(anyBet, size, share, share, (bet, size, height, part) => {
      // All that is bad comes in a part of the windows, with this share there; over all windows it is at most the floor.
      const chance = Math.min(1, (part * bet.floor) / Math.max(height, 1e-9))
      const { requests } = bet.candidate
      const factor = (bad: number): number => aboveFloor({ ...bet, candidate: { requests, bad } }, size)
      assert.ok(chance * factor(height * requests) + (1 - chance) * factor(0) <= 1 + 1e-9)
    }),
  )
})

test('a burst hits each replica as often, so an alarm against the stable revision wins nothing on average', () => {
  fc.assert(
    fc.property(anyBet, size, share, fc.integer({ min: 1, max: 30 }), (bet, size, height, stableReplicas) => {
      const { candidate, stable } = bet
      const background = Math.min(0.2, bet.expected)
      const factor = (candidateShare: number, stableShare: number): number =>
        aboveStable(
          {
            ...bet,
            candidate: { ...candidate, bad: candidate.requests * Math.min(1, background + candidateShare) },
            stable: { ...stable, bad: stable.requests * Math.min(1, background + stableShare) },
          },
          size,
        )
      // One replica of all, the canary's being one of them; as much of the window as it may be.
      const burst = height * 0.8
      const mean = (factor(burst, 0) + stableReplicas * factor(0, burst / stableReplicas)) / (stableReplicas + 1)
      assert.ok(mean <= 1 + 1e-9, `on average ${mean}`)
    }),
  )
})

test('just at the floor, with answers that are bad each by itself, a proof wins next to nothing on average', () => {
  for (const count of [1, 5, 30, 100, 1000])
    for (const floor of [0.001, 0.01, 0.05])
      for (const size of [0.2, 0.6]) {
        const bet = { ratio: 1.25, floor, expected: 0, clumping: 0.05, stable: { requests: 1, bad: 0 } }
        let mean = 0
        let chance = (1 - floor) ** count
        for (let bad = 0; bad <= count; bad++) {
          mean += chance * belowFloor({ ...bet, candidate: { requests: count, bad } }, size)
          chance *= ((count - bad) / (bad + 1)) * (floor / (1 - floor))
        }
        // The cut forgives what is far out: less than a thousandth in a window.
        assert.ok(mean < 1.001, `${count} answers at ${floor}: ${mean}`)
      }
})

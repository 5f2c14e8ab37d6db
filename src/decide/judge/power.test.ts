import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describePower } from './power.ts'

const minuteMs = 60_000
const tolerance = { ratio: 1.25, floor: 0.01 }
const hour = (candidatePerMinute: number, stablePerMinute: number) => [
  { durationMs: 60 * minuteMs, candidatePerMinute, stablePerMinute },
]

/** The simulation's own figures for these cases are in docs/reference/judge.md. */
test('the usual defects are expected when the simulation finds them', () => {
  const { bound, defects } = describePower({ stretches: hour(600, 5400), stableShare: 0.005, tolerance })
  assert.equal(bound, 0.01)
  const [doubled, tripled, tenfold] = defects
  assert.deepEqual([doubled?.tolerated, doubled?.medianMs], [true, null])
  assert.ok(tripled?.medianMs !== null && tripled!.medianMs >= 6 * minuteMs && tripled!.medianMs <= 8 * minuteMs)
  assert.ok(tenfold?.medianMs !== null && tenfold!.medianMs <= 2 * minuteMs)
})

test('the smallest defect that shows shrinks with traffic and with time, and is never within what is tolerated', () => {
  const smallest = (perMinute: number, minutes: number): number => {
    const stretches = [
      { durationMs: minutes * minuteMs, candidatePerMinute: perMinute / 10, stablePerMinute: perMinute * 0.9 },
    ]
    const { smallestShown } = describePower({ stretches, stableShare: 0.005, tolerance })
    return smallestShown?.share ?? Infinity
  }
  const shares = [smallest(60, 10), smallest(60, 60), smallest(600, 60), smallest(6000, 60), smallest(60_000, 60)]
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => b - a),
  )
  assert.ok(shares.every((share) => share > 0.01))
  assert.ok((shares.at(-1) ?? 1) < 0.011)
})

test('whether a healthy release can be proven depends on the traffic', () => {
  const steps = (perMinute: number) =>
    [
      [5, 0.05],
      [5, 0.25],
      [50, 0.5],
    ].map(([minutes = 0, weight = 0]) => ({
      durationMs: minutes * minuteMs,
      candidatePerMinute: perMinute * weight,
      stablePerMinute: perMinute * (1 - weight),
    }))
  const healthy = (perMinute: number, stableShare = 0.005) =>
    describePower({ stretches: steps(perMinute), stableShare, tolerance }).healthy
  const { medianMs, likelyMs } = healthy(600)
  assert.ok(medianMs !== null && likelyMs !== null && medianMs < likelyMs && likelyMs < 40 * minuteMs)
  assert.deepEqual(healthy(10), { medianMs: null, likelyMs: null })
  assert.deepEqual(healthy(600, 0.0099), { medianMs: null, likelyMs: null })
})

test('without a candidate nothing shows, and without a stable revision nothing fails', () => {
  for (const stretches of [[], hour(0, 1000), hour(1000, 0)]) {
    const { smallestShown, defects } = describePower({ stretches, stableShare: 0.005, tolerance })
    assert.equal(smallestShown, null)
    assert.ok(defects.every(({ medianMs }) => medianMs === null))
  }
})

test('a stable revision that never errs, without a floor, tolerates nothing and has no multiples', () => {
  const power = describePower({ stretches: hour(600, 5400), stableShare: 0, tolerance: { ratio: 1.25, floor: 0 } })
  assert.equal(power.bound, 0)
  assert.deepEqual([power.smallestShown?.timesBound, power.smallestShown?.timesStable], [null, null])
  assert.deepEqual(power.healthy, { medianMs: null, likelyMs: null })
})

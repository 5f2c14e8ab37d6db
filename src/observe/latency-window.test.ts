import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLatencyWindow } from './latency-window.ts'

test('percentiles are those of the sorted latencies, within 4 %', () => {
  const latencies = fc.array(fc.double({ min: 0.1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(latencies, (list) => {
      const window = createLatencyWindow()
      for (const latencyMs of list) window.record(latencyMs, 5000)
      const sorted = list.toSorted((a, b) => a - b)
      const summary = window.summarize(5000) ?? assert.fail('nothing was recorded')
      assert.equal(summary.count, list.length)
      for (const [found, share] of [
        [summary.p50Ms, 0.5],
        [summary.p99Ms, 0.99],
      ] as const) {
        const exact = sorted[Math.ceil(list.length * share) - 1] ?? 0
        assert.ok(Math.abs(found / exact - 1) < 0.041, `${found} for ${exact}`)
      }
    }),
  )
})

test('what is older than a minute is forgotten, and silence is no number', () => {
  const window = createLatencyWindow()
  assert.equal(window.summarize(0), null)
  window.record(100, 1000)
  window.record(1, 45_000)
  assert.equal(window.summarize(59_999)?.count, 2)
  assert.equal(window.summarize(60_000)?.count, 1)
  assert.equal(window.summarize(99_999)?.count, 1)
  assert.equal(window.summarize(100_000), null)
  window.record(5, 120_000)
  assert.equal(window.summarize(120_000)?.count, 1)
})

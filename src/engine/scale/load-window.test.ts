import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type LoadSnapshot, appendSnapshot, measureLoad, measureSpan } from './load-window.ts'

const at = (measuredAtMs: number, requests = 0, inFlightMs = 0): LoadSnapshot => ({
  measuredAtMs,
  requests,
  inFlightMs,
})

test('two snapshots give the average in flight and the rate between them', () => {
  assert.deepEqual(measureLoad(at(1000, 5, 400), at(3000, 25, 3400)), { concurrency: 1.5, requestsPerSecond: 10 })
})

test('a gateway that was restarted, and one moment, are no data', () => {
  assert.equal(measureLoad(at(1000, 5), at(2000, 4)), undefined)
  assert.equal(measureLoad(at(1000, 5, 9), at(2000, 5, 8)), undefined)
  assert.equal(measureLoad(at(9000), at(100)), undefined)
  assert.equal(measureSpan([at(9000)], 1000), undefined)
  assert.equal(measureSpan([], 1000), undefined)
  assert.deepEqual(appendSnapshot([at(1000, 5)], at(50, 1), 1000), [at(50, 1)])
})

test('a span reaches back as far as asked, or as far as was seen, and nothing older is kept', () => {
  const steps = fc.array(fc.record({ tookMs: fc.integer({ min: 1, max: 3000 }), more: fc.nat(50) }), {
    minLength: 2,
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 100, max: 20_000 }), (list, spanMs) => {
      let kept: readonly LoadSnapshot[] = []
      const all: LoadSnapshot[] = []
      for (const { tookMs, more } of list) {
        const last = all.at(-1) ?? at(0)
        const next = at(last.measuredAtMs + tookMs, last.requests + more, last.inFlightMs + more)
        all.push(next)
        kept = appendSnapshot(kept, next, spanMs)
      }
      const latest = all.at(-1) ?? assert.fail()
      const from = all.findLast(({ measuredAtMs }) => latest.measuredAtMs - measuredAtMs >= spanMs) ?? all[0]
      assert.deepEqual(measureSpan(kept, spanMs), measureLoad(from ?? assert.fail(), latest))
      const reaching = kept.filter(({ measuredAtMs }) => latest.measuredAtMs - measuredAtMs >= spanMs)
      assert.ok(reaching.length <= 1)
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planDrain } from './drain.ts'

test('what arrives in the last moment has its whole time, and nobody is killed before that', () => {
  const durationMs = fc.integer({ min: 0, max: 3_600_000 })
  fc.assert(
    fc.property(durationMs, durationMs, durationMs, (drainTimeoutMs, requestTimeoutMs, propagationMs) => {
      const { waitMs, drainMs, graceMs } = planDrain({ drainTimeoutMs, requestTimeoutMs, propagationMs })
      assert.ok(waitMs >= propagationMs)
      assert.ok(drainMs >= requestTimeoutMs && drainMs >= drainTimeoutMs)
      assert.ok(graceMs > waitMs + drainMs)
    }),
  )
})

test('the usual times', () => {
  assert.deepEqual(planDrain({ drainTimeoutMs: 30_000, requestTimeoutMs: 10_000, propagationMs: 5000 }), {
    waitMs: 5000,
    drainMs: 30_000,
    graceMs: 37_000,
  })
})

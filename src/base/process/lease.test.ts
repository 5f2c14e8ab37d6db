import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Clock } from '../clock.ts'
import { leaseLapsed, renewLease } from './lease.ts'

/** A clock that runs as fast as it is asked: each sleep calls `onTick` with the time reached. */
function createFastClock(onTick: (nowMs: number) => void): Clock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      nowMs += ms
      onTick(nowMs)
    },
  }
}

test('a lease lasts while it is renewed, and lapses its full length after the last renewal', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-lease-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'lease')
  renewLease(file, 1)
  let lapsedAtMs = 0
  const clock = createFastClock((nowMs) => {
    lapsedAtMs = nowMs
    // Renewed with a wall clock that runs backwards: only the change counts.
    if (nowMs <= 20_000) renewLease(file, 1_000_000 - nowMs)
  })
  await leaseLapsed(file, 5000, clock, new AbortController().signal)
  assert.equal(lapsedAtMs, 25_000)
})

test('a lease whose file never was or was deleted lapses too, and an aborted watch rejects', async () => {
  const nowhere = join(tmpdir(), 'towline-no-such-folder', 'lease')
  await leaseLapsed(
    nowhere,
    3000,
    createFastClock(() => undefined),
    new AbortController().signal,
  )
  const watch = leaseLapsed(
    nowhere,
    3000,
    createFastClock(() => undefined),
    AbortSignal.abort(new Error('enough')),
  )
  await assert.rejects(watch, /enough/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ProbeState, foldProbe } from './probe.ts'

const limits = { startupTimeoutMs: 1000, unreadyAfter: 2, deadAfter: 3 }
const good = { live: true, ready: true }
const unready = { live: true, ready: false }
const silent = { live: false, ready: false }

/** One probe each 100 ms, from a process that started at 0. */
function fold(...samples: { live: boolean; ready: boolean }[]): ProbeState {
  return samples.reduce<ProbeState>(
    (state, sample, index) => foldProbe(state, { atMs: (index + 1) * 100, ...sample }, limits),
    { phase: 'Starting', sinceMs: 0 },
  )
}

test('the first good answer makes a process ready', () => {
  assert.equal(fold(silent, silent, unready).phase, 'Starting')
  assert.equal(fold(silent, silent, good).phase, 'Ready')
})

test('silence while starting is only held against the startup limit', () => {
  assert.equal(fold(...Array.from({ length: 9 }, () => silent)).phase, 'Starting')
  assert.deepEqual(fold(...Array.from({ length: 10 }, () => silent)), {
    phase: 'Failed',
    sinceMs: 1000,
    reason: 'StartupTimeout',
  })
})

test('one missed readiness probe changes nothing, two in a row do, one good one mends it', () => {
  assert.equal(fold(good, unready).phase, 'Ready')
  assert.equal(fold(good, unready, good, unready).phase, 'Ready')
  assert.equal(fold(good, unready, unready).phase, 'Unready')
  assert.equal(fold(good, unready, unready, good).phase, 'Ready')
})

test('a process that is silent three times in a row is dead, and stays so', () => {
  assert.equal(fold(good, silent, silent, unready, silent, silent).phase, 'Unready')
  const dead = fold(good, silent, silent, silent)
  assert.deepEqual(dead, { phase: 'Failed', sinceMs: 400, reason: 'LivenessFailed' })
  assert.equal(foldProbe(dead, { atMs: 500, ...good }, limits), dead)
})

test('being unready alone never ends a process, and one that has been ready never times out in startup', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ live: fc.constant(true), ready: fc.boolean() }), { maxLength: 60 }), (samples) => {
      assert.notEqual(fold(good, ...samples).phase, 'Failed')
    }),
  )
})

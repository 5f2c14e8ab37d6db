import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideGate, type Proof, type Requirement } from './gate.ts'

const model = `sha256:c01d44${'0'.repeat(58)}`
const other = `sha256:7793a8${'0'.repeat(58)}`
const hourMs = 3_600_000
const nowMs = 1_800_000_000_000
const proof: Proof = { environment: 'staging', model, image: null, passed: true, atMs: nowMs - 2 * hourMs }
const staging = { environment: 'staging', maxAgeMs: 168 * hourMs }

function explain(
  attestations: readonly Proof[],
  requires: readonly Requirement[] = [staging],
  image: string | null = null,
): readonly string[] {
  const decision = decideGate({ requires, attestations, model, image, nowMs })
  return decision.passed ? [] : decision.missing.map(({ why }) => why)
}

test('a proof of this model and image, young enough, opens the gate and is named', () => {
  assert.deepEqual(decideGate({ requires: [staging], attestations: [proof], model, image: null, nowMs }), {
    passed: true,
    by: [proof],
  })
  const old = { ...proof, atMs: 0 }
  assert.deepEqual(explain([old], [{ ...staging, maxAgeMs: null }]), [])
})

test('each kind of missing proof has its own sentence', () => {
  assert.deepEqual(explain([]), ['staging has never run its checks'])
  assert.deepEqual(explain([{ ...proof, environment: 'laptop' }]), ['staging has never run its checks'])
  assert.deepEqual(explain([{ ...proof, model: other }]), [
    'staging passed another model (sha256 7793a8… instead of sha256 c01d44…)',
  ])
  assert.deepEqual(explain([proof], [staging], other), [
    'staging passed this model with another image (none instead of sha256 7793a8…)',
  ])
  assert.deepEqual(explain([{ ...proof, atMs: nowMs - 216 * hourMs }]), [
    'staging passed this model, but 9 d 0 h ago; at most 7 d 0 h counts',
  ])
  assert.deepEqual(explain([{ ...proof, passed: false }]), ['staging failed its checks of this model 2 h 0 m ago'])
})

test('a later failure withdraws an earlier pass, and a later pass a failure', () => {
  const failure = { ...proof, passed: false, atMs: proof.atMs + 1 }
  assert.equal(explain([proof, failure]).length, 1)
  assert.equal(explain([failure, proof]).length, 1)
  assert.deepEqual(explain([failure, { ...proof, atMs: failure.atMs + 1 }]), [])
})

test('a proof from the future counts within two minutes only', () => {
  assert.deepEqual(explain([{ ...proof, atMs: nowMs + 120_000 }]), [])
  assert.deepEqual(explain([{ ...proof, atMs: nowMs + 3 * hourMs }]), [
    "the proof of staging is dated 3 h 0 m after this machine's clock",
  ])
})

test('every environment that is missing is told at once', () => {
  assert.deepEqual(explain([], [staging, { environment: 'load', maxAgeMs: hourMs }]), [
    'staging has never run its checks',
    'load has never run its checks',
  ])
})

test('the gate opens exactly when the last word on this model and image is a pass of the right age', () => {
  const proofs = fc.array(
    fc.record({
      environment: fc.constantFrom('staging', 'laptop'),
      model: fc.constantFrom(model, other),
      image: fc.constantFrom(null, other),
      passed: fc.boolean(),
      atMs: fc.integer({ min: nowMs - 400 * hourMs, max: nowMs + hourMs }),
    }),
  )
  fc.assert(
    fc.property(proofs, (attestations) => {
      const last = attestations
        .filter((some) => some.environment === 'staging' && some.model === model && some.image === null)
        .toSorted((a, b) => b.atMs - a.atMs)
        .at(0)
      // Of two at the same millisecond either may count.
      fc.pre(new Set(attestations.map(({ atMs }) => atMs)).size === attestations.length)
      const ageMs = nowMs - (last?.atMs ?? 0)
      const opens = last !== undefined && last.passed && ageMs <= 168 * hourMs && ageMs >= -120_000
      assert.equal(explain(attestations).length === 0, opens)
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JudgePolicy, type Verdict, emptyJudge, evidenceWindowMs, foldEvidence, judge } from './judge.ts'

/** A few seeded rollouts of an hour: a judge that is broken shows. The real figures are in docs/reference/judge.md. */
const rollouts = 100
const windowsAnHour = 3_600_000 / evidenceWindowMs
const policy: JudgePolicy = { errors: { ratio: 1.25, floor: 0.01 }, slow: null }
const ratioOnly: JudgePolicy = { errors: { ratio: 1.25, floor: 0 }, slow: null }

interface Truth {
  readonly candidate: number
  readonly stable: number
  /** Chance that one replica of all ten is stalled for a second of this window; the canary is one of them. */
  readonly stalls: number
}

/** How often it was so at any look, as a part of 1, and after how many windows at the median. */
function rates(
  truth: Truth,
  policy: JudgePolicy,
  perWindow = 100,
): Record<'Pass' | 'Fail', { part: number; windows: number }> {
  const random = createRandom(7)
  const found: Record<Verdict, number[]> = { Pass: [], Fail: [], Inconclusive: [], NoData: [] }
  for (let rollout = 0; rollout < rollouts; rollout++) {
    let state = emptyJudge
    let verdict: Verdict = 'NoData'
    let windows = 0
    while (windows < windowsAnHour && verdict !== 'Pass' && verdict !== 'Fail') {
      const stalled = random() < truth.stalls * 10 ? Math.floor(random() * 10) : -1
      const candidateStall = stalled === 0 ? 0.1 : 0
      const stableStall = stalled > 0 ? 0.1 / 9 : 0
      state = foldEvidence(
        state,
        {
          durationMs: evidenceWindowMs,
          candidate: draw(random, perWindow, truth.candidate + candidateStall),
          stable: draw(random, perWindow * 9, truth.stable + stableStall),
        },
        policy,
      )
      verdict = judge(state, policy).verdict
      windows++
    }
    found[verdict].push(windows)
  }
  const summary = (list: readonly number[]) => ({
    part: list.length / rollouts,
    windows: list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Infinity,
  })
  return { Pass: summary(found.Pass), Fail: summary(found.Fail) }
}

function draw(
  random: () => number,
  requests: number,
  share: number,
): { requests: number; errors: number; slow: number } {
  let errors = 0
  let term = Math.exp(-requests * share)
  for (let rest = random() - term; rest > 0 && errors < requests; rest -= term) {
    errors++
    term *= (requests * share) / errors
  }
  return { requests, errors, slow: 0 }
}

function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test('a healthy candidate with stalls like all others hardly ever fails', () => {
  const stalls = 1 / 30
  assert.ok(rates({ candidate: 0.005, stable: 0.005, stalls }, policy).Fail.part <= 0.02)
  assert.ok(rates({ candidate: 0.005, stable: 0.005, stalls }, ratioOnly).Fail.part <= 0.02)
})

test('a healthy candidate is proven well within the hour', () => {
  const { Pass, Fail } = rates({ candidate: 0.005, stable: 0.005, stalls: 0 }, policy)
  assert.deepEqual([Pass.part, Fail.part], [1, 0])
  assert.ok(Pass.windows <= 120, `${Pass.windows} windows`)
})

test('tripled errors are found within eight minutes, doubled ones without a floor within fourteen', () => {
  const tripled = rates({ candidate: 0.015, stable: 0.005, stalls: 0 }, policy)
  assert.deepEqual([tripled.Pass.part, tripled.Fail.part], [0, 1])
  assert.ok(tripled.Fail.windows <= 48, `${tripled.Fail.windows} windows`)
  const doubled = rates({ candidate: 0.01, stable: 0.005, stalls: 0 }, ratioOnly)
  assert.deepEqual([doubled.Pass.part, doubled.Fail.part], [0, 1])
  assert.ok(doubled.Fail.windows <= 84, `${doubled.Fail.windows} windows`)
})

test('a candidate a little worse than tolerated is hardly ever proven, however much traffic there is', () => {
  for (const perWindow of [10, 100, 1000]) {
    const single = rates({ candidate: 0.0105, stable: 0.005, stalls: 0 }, policy, perWindow).Pass.part
    assert.ok(single <= 0.05, `${single} at ${perWindow}`)
    // Above 1.25 times the stable share with its stalls. A hundred rollouts are few: 5 % are meant, 8 % are let through.
    const stalled = rates({ candidate: 0.0077, stable: 0.005, stalls: 1 / 30 }, policy, perWindow).Pass.part
    assert.ok(stalled <= 0.08, `${stalled} at ${perWindow}`)
  }
})

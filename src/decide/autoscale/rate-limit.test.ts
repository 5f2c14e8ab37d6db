import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScalingPolicy, ScalingRules } from '../../spec/service.ts'
import { type ScaleEvent, recordScale } from './history.ts'
import { findDownLimit, findUpLimit, limitDoubling, limitRate } from './rate-limit.ts'

const nowMs = 1_000_000
const none = { recommendations: [], ups: [], downs: [] }
const rules = (...policies: readonly ScalingPolicy[]): ScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies,
})
const pods = (value: number, periodSeconds = 60): ScalingPolicy => ({ type: 'Pods', value, periodSeconds })
const percent = (value: number, periodSeconds = 60): ScalingPolicy => ({ type: 'Percent', value, periodSeconds })
const ago = (seconds: number, change: number): ScaleEvent => ({ change, atMs: nowMs - seconds * 1000 })
const bounds = { minReplicas: 1, maxReplicas: 1000 }
const usual = {
  scaleUp: rules(pods(4, 15), percent(100, 15)),
  scaleDown: rules(percent(100, 15)),
}

test('up: the largest change of the policies, less what the period has already seen', () => {
  const limit = (current: number, scaleUp: ScalingRules, ups: readonly ScaleEvent[] = []): number =>
    findUpLimit(current, scaleUp, { ...none, ups }, nowMs)
  assert.equal(limit(10, usual.scaleUp), 20)
  assert.equal(limit(10, rules(pods(100), percent(100))), 110)
  const events = [ago(60, 1), ago(30, 5), ago(0, 9)]
  assert.equal(limit(100, rules(pods(150, 120)), events), 235)
  assert.equal(limit(100, rules(percent(200, 120)), events), 255)
  assert.equal(limit(100, rules(pods(5, 120)), events), 90)
  assert.equal(
    limitRate(
      { currentReplicas: 100, desiredReplicas: 500, ...bounds },
      { ...usual, scaleUp: rules(pods(5, 120)) },
      { ...none, ups: events },
      nowMs,
    ).replicas,
    100,
  )
})

test('down: mirrored, and percentages are cut', () => {
  const limit = (current: number, scaleDown: ScalingRules, downs: readonly ScaleEvent[] = []): number =>
    findDownLimit(current, scaleDown, { ...none, downs }, nowMs)
  assert.equal(limit(100, rules(pods(20), percent(1))), 80)
  assert.equal(limit(100, rules(percent(50, 120)), [ago(60, 2), ago(30, 4), ago(0, 6)]), 56)
  assert.equal(limit(100, rules(percent(10, 120)), [ago(5, 30)]), 117)
  const blocked = { ...none, downs: [ago(5, 30)] }
  const behavior = { ...usual, scaleDown: rules(percent(10, 120)) }
  assert.deepEqual(limitRate({ currentReplicas: 100, desiredReplicas: 0, ...bounds }, behavior, blocked, nowMs), {
    replicas: 100,
    reason: 'ScaleDownLimit',
  })
  const generous = { ...usual, scaleDown: rules(percent(1000)) }
  const step = { currentReplicas: 10, desiredReplicas: 5, ...bounds }
  assert.deepEqual(limitRate(step, generous, none, nowMs), { replicas: 5, reason: 'DesiredWithinRange' })
})

test('Min takes the smallest change, Disabled none', () => {
  const least = (...policies: ScalingPolicy[]): ScalingRules => ({ ...rules(...policies), selectPolicy: 'Min' })
  assert.equal(findUpLimit(1, least(pods(2), percent(50)), none, nowMs), 2)
  assert.equal(findDownLimit(5, least(pods(2), percent(50)), none, nowMs), 3)
  const off = { ...usual.scaleUp, selectPolicy: 'Disabled' as const }
  assert.equal(findUpLimit(7, off, none, nowMs), 7)
  assert.equal(findDownLimit(7, off, none, nowMs), 7)
})

test('what stops it is named: a bound of the spec or a rate', () => {
  const reason = (currentReplicas: number, desiredReplicas: number, minReplicas: number, maxReplicas: number) =>
    limitRate({ currentReplicas, desiredReplicas, minReplicas, maxReplicas }, usual, none, nowMs)
  assert.deepEqual(reason(10, 50, 1, 15), { replicas: 15, reason: 'TooManyReplicas' })
  assert.deepEqual(reason(10, 50, 1, 100), { replicas: 20, reason: 'ScaleUpLimit' })
  assert.deepEqual(reason(10, 1, 3, 100), { replicas: 3, reason: 'TooFewReplicas' })
  assert.deepEqual(reason(10, 10, 1, 100), { replicas: 10, reason: 'DesiredWithinRange' })
})

test('without rules the count at most doubles, from little to 4', () => {
  const step = (currentReplicas: number, desiredReplicas: number, maxReplicas = 100) =>
    limitDoubling({ currentReplicas, desiredReplicas, minReplicas: 1, maxReplicas })
  assert.deepEqual(step(1, 50), { replicas: 4, reason: 'ScaleUpLimit' })
  assert.deepEqual(step(10, 50), { replicas: 20, reason: 'ScaleUpLimit' })
  assert.deepEqual(step(10, 50, 12), { replicas: 12, reason: 'TooManyReplicas' })
  assert.deepEqual(step(10, 0), { replicas: 1, reason: 'TooFewReplicas' })
})

test('events are kept for the longest period of their direction, and the place of an old one is used again', () => {
  const twoPeriods = rules(pods(1, 30), pods(1, 60))
  const record = (ups: readonly ScaleEvent[], to: number) =>
    recordScale({ ...none, ups }, { rules: twoPeriods, from: 5, to, nowMs })
  assert.deepEqual(record([ago(61, 3), ago(60, 2)], 7).ups, [ago(0, 2), ago(60, 2)])
  assert.deepEqual(record([ago(59, 3)], 7).ups, [ago(59, 3), ago(0, 2)])
  assert.deepEqual(record([], 3).downs, [ago(0, 2)])
  assert.equal(recordScale(none, { rules: undefined, from: 1, to: 2, nowMs }), none)
})

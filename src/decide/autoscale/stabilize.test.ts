import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveBehavior } from './behavior.ts'
import { stabilize, stabilizeDown } from './stabilize.ts'

const nowMs = 10_000_000
const ago = (minutes: number, replicas: number) => ({ replicas, atMs: nowMs - minutes * 60_000 })
const windows = (upSeconds: number, downSeconds: number) =>
  resolveBehavior({
    scaleUp: { stabilizationWindowSeconds: upSeconds },
    scaleDown: { stabilizationWindowSeconds: downSeconds },
  })

test('down waits for the largest wish of its window, up for the smallest of its own', () => {
  const down = { currentReplicas: 100, desiredReplicas: 3, recommendations: [ago(2, 4), ago(1, 5)], nowMs }
  assert.equal(stabilize(down, windows(0, 180)).replicas, 5)
  const up = { currentReplicas: 1, desiredReplicas: 7, recommendations: [ago(2, 4), ago(1, 5)], nowMs }
  assert.equal(stabilize(up, windows(300, 0)).replicas, 4)
  const far = { currentReplicas: 1, desiredReplicas: 100, recommendations: [ago(3, 6), ago(2, 5), ago(1, 9)], nowMs }
  assert.equal(stabilize(far, windows(300, 0)).replicas, 5)
})

test('what is remembered is the wish itself, over one that no window reaches', () => {
  const step = { currentReplicas: 100, desiredReplicas: 3, recommendations: [ago(10, 4), ago(9, 4), ago(1, 5)], nowMs }
  assert.deepEqual(stabilize(step, windows(0, 180)).recommendations, [ago(10, 4), ago(0, 3), ago(1, 5)])
  const fresh = { ...step, recommendations: [ago(1, 5)] }
  assert.deepEqual(stabilize(fresh, windows(0, 180)).recommendations, [ago(1, 5), ago(0, 3)])
})

test('without behavior only the way down waits', () => {
  const step = { currentReplicas: 9, desiredReplicas: 3, recommendations: [ago(6, 9), ago(5, 7), ago(1, 4)], nowMs }
  assert.deepEqual(stabilizeDown(step, 300), {
    replicas: 7,
    recommendations: [ago(0, 3), ago(5, 7), ago(1, 4)],
  })
  assert.equal(stabilizeDown({ ...step, desiredReplicas: 20 }, 300).replicas, 20)
})

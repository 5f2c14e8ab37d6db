import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyRecord } from '../../bench/latency.ts'
import { countFailed, describeLoad, renderLoad } from './load-report.ts'

const settings = {
  ratePerSecond: 50,
  arrivals: 'poisson',
  durationMs: 2000,
  timeoutMs: 1000,
  maxConnections: 4,
} as const

function record(...durationsMs: readonly number[]): LatencyRecord {
  const kept = new LatencyRecord()
  for (const durationMs of durationsMs) kept.add(durationMs)
  return kept
}

test('a report says what was due, answered and lost, and draws the latencies', () => {
  const described = describeLoad('http://a/infer', settings, {
    due: 100,
    statuses: new Map([
      [200, 90],
      [503, 6],
    ]),
    failures: new Map([['timed out', 4]]),
    durationMs: 2000,
    latency: record(10, 10, 10, 11, 16),
    lateness: record(0.3),
    queued: 7,
  })
  assert.equal(countFailed(described), 10)
  assert.equal(
    renderLoad(described),
    [
      '  target       http://a/infer',
      '  due          100 requests in 2.0 s, poisson arrivals at 50/s',
      '  answered     96   48.0/s   200: 90   503: 6',
      '  unanswered   4   timed out: 4',
      '  latency      p50 10 ms   p90 16 ms   p99 16 ms   p99.9 16 ms   max 16 ms',
      '  sent late    p50 0.3 ms   p90 0.3 ms   p99 0.3 ms   p99.9 0.3 ms   max 0.3 ms   (part of the latency)',
      '               7 requests found all 4 connections busy; --connections gives more',
      '',
      '  UP TO  REQUESTS',
      '  12 ms  4         ████████████████████████████████████████',
      '  15 ms  0',
      '  18 ms  1         ██████████',
    ].join('\n'),
  )
})

test('without a single answer no latency is shown, and JSON says null', () => {
  const nothing = { statuses: new Map(), failures: new Map([['refused', 3]]), queued: 0 }
  const described = describeLoad('http://a/infer', settings, {
    ...nothing,
    due: 3,
    durationMs: 2000,
    latency: record(),
    lateness: record(),
  })
  assert.deepEqual([described.latencyMs, described.histogram, countFailed(described)], [null, [], 3])
  assert.doesNotMatch(renderLoad(described), /latency|UP TO/)
})

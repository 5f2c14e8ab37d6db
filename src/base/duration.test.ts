import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDuration, renderDuration } from './duration.ts'

test('durations are exact milliseconds', () => {
  const cases: [string, number][] = [
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1m1ms', 60_001],
    ['0s', 0],
    ['99999h', 359_996_400_000],
  ]
  for (const [text, durationMs] of cases) assert.equal(parseDuration(text), durationMs, text)
})

test('what only looks like a duration is none', () => {
  for (const text of ['', '10', 's', '1d', '-1s', '1.5s', '1 s', '100000s', '1s1s1s1s1s', '10S'])
    assert.equal(parseDuration(text), undefined, text)
})

test('a rendered duration reads back as the same milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 359_999_999_999 }), (durationMs) =>
      assert.equal(parseDuration(renderDuration(durationMs)), durationMs),
    ),
  )
  assert.equal(renderDuration(60_000), renderDuration(parseDuration('60s') ?? 0))
})

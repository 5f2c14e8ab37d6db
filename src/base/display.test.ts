import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatMs, formatPercent, oneLine } from './display.ts'

test('sizes carry the unit a person would choose', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [18_553_741, '18.6 MB'],
    [999_949, '1.0 MB'],
    [123_456_789, '123 MB'],
  ]
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text)
})

test('durations carry the unit a person would choose', () => {
  const cases: [number, string][] = [
    [0.42, '0.4 ms'],
    [19.2, '19 ms'],
    [999.6, '1.0 s'],
    [1100, '1.1 s'],
    [59_960, '1 m 0 s'],
    [72_000, '1 m 12 s'],
    [7_260_000, '2 h 1 m'],
    [200_000_000, '2 d 7 h'],
  ]
  for (const [durationMs, text] of cases) assert.equal(formatMs(durationMs), text)
})

test('shares are percentages with one digit', () => assert.equal(formatPercent(0.3671), '36.7 %'))

test('text from outside is one short line that cannot steer a terminal', () => {
  assert.equal(oneLine(' a\u001b[2Jb\r\nc\u202ed\u009b '), 'a [2Jb c d')
  assert.equal(oneLine('x'.repeat(1000)), `${'x'.repeat(300)}…`)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseQuantity, quantityMillis, quantityUnits, renderQuantity } from './quantity.ts'

const nanosOf = (text: string): bigint | undefined => parseQuantity(text)?.nanos

test('quantities are read as Kubernetes reads them', () => {
  const one = 1_000_000_000n
  const cases: [string, bigint][] = [
    ['1', one],
    ['250m', 250_000_000n],
    ['0.1', 100_000_000n],
    ['.5', 500_000_000n],
    ['1.', one],
    ['64Mi', one << 26n],
    ['1.5Gi', (one << 30n) + (one << 29n)],
    ['1G', 10n ** 18n],
    ['2e3', 2000n * one],
    ['2E3', 2000n * one],
    ['1E', 10n ** 27n],
    ['12e-1', 1_200_000_000n],
    ['-3', -3n * one],
    ['+3', 3n * one],
    ['1n', 1n],
    ['0.1n', 1n],
    ['100u', 100_000n],
  ]
  for (const [text, nanos] of cases) assert.equal(nanosOf(text), nanos, text)
})

test('what only looks like a quantity is none', () => {
  for (const text of ['', '1GB', '1gi', 'Gi', '1 Gi', '1,5', '0x10', '1e', '--1', '1.2.3', '١', '1'.repeat(41)]) {
    assert.equal(parseQuantity(text), undefined, text)
  }
})

test('a started unit counts as a whole one', () => {
  const read = (text: string) => parseQuantity(text) ?? assert.fail(text)
  assert.equal(quantityUnits(read('1500m')), 2)
  assert.equal(quantityUnits(read('64Mi')), 67_108_864)
  assert.equal(quantityMillis(read('0.0001')), 1)
  assert.equal(quantityMillis(read('1.5')), 1500)
})

test('the canonical spelling holds the same amount, and equal amounts have one spelling', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }), (nanos) => {
      const text = renderQuantity({ nanos })
      assert.equal(nanosOf(text), nanos, text)
    }),
  )
  assert.equal(renderQuantity({ nanos: nanosOf('1000m') ?? 0n }), renderQuantity({ nanos: nanosOf('1') ?? 0n }))
  assert.equal(renderQuantity({ nanos: nanosOf('1024Mi') ?? 0n }), '1Gi')
})

test('no text makes the parser throw or hang', () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void parseQuantity(text)))
})

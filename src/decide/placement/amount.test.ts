import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAmount } from './amount.ts'

test('amounts are shown as they could stand in a spec', () => {
  for (const [resource, amount, shown] of [
    ['cpu', 1500, '1500m'],
    ['cpu', 4000, '4'],
    ['requests.cpu', 0, '0'],
    ['memory', 16 * 1024 ** 3, '16Gi'],
    ['limits.memory', 1.5 * 1024 ** 3, '1.5Gi'],
    ['memory', 500 * 1024 ** 2, '500Mi'],
    ['memory', 12, '12'],
    ['nvidia.com/gpu', 8, '8'],
    ['pods', 110, '110'],
  ] as const)
    assert.equal(formatAmount(resource, amount), shown)
})

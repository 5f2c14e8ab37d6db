import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDriver, majorFloorOf } from './cuda.ts'

test("a toolkit's own driver and every later one do all it can", () => {
  for (const driver of ['550.54.14', '550.54.15', '550.90', '560.28.03', '580.126.16'])
    assert.deepEqual(checkDriver('12.4', driver), { kind: 'Ok' }, driver)
  assert.deepEqual(checkDriver('12.4.1', '550.54.14'), { kind: 'Ok' })
})

test('between the floor of its major version and its own driver it runs, but compiles nothing', () => {
  for (const driver of ['525.60.13', '535.183.01', '550.54.13'])
    assert.deepEqual(checkDriver('12.4', driver), { kind: 'Warn', driver: '550.54.14' }, driver)
})

test('all parts of a driver count: below the floor it is too old, by whichever part', () => {
  for (const driver of ['470.256.02', '525.60.12', '525.60', '525.9.99'])
    assert.deepEqual(checkDriver('12.4', driver), { kind: 'TooOld', driver: '525.60.13' }, driver)
  assert.deepEqual(checkDriver('13.0', '575.51.03'), { kind: 'TooOld', driver: '580.65.06' })
})

test('a toolkit without a row is safe on the driver of the next major version, and otherwise only runs', () => {
  assert.deepEqual(checkDriver('11.8', '525.60.13'), { kind: 'Ok' })
  assert.deepEqual(checkDriver('11.8', '470.82.01'), { kind: 'Warn', driver: '525.60.13' })
  assert.deepEqual(checkDriver('13.7', '595.71.05'), { kind: 'Warn', driver: null })
})

test('of what no row knows nothing is said', () => {
  for (const [cuda, driver] of [
    ['10.2', '440.33'],
    ['14.0', '700.1.1'],
    ['12.4', '550'],
    ['12.4', ''],
    ['twelve', '550.54.14'],
  ] as const)
    assert.deepEqual(checkDriver(cuda, driver), { kind: 'Unknown' }, `${cuda} on ${driver}`)
  assert.equal(majorFloorOf('10.2'), undefined)
  assert.equal(majorFloorOf('12.9'), '525.60.13')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'
import { withDeadline } from './deadline.ts'

const late = { code: 'TL_ENGINE_START', what: 'the engine', hint: 'see its log' } as const

test('work that misses its deadline is a failure that says what was waited for', async () => {
  const endless = withDeadline(5, undefined, (signal) => systemClock.sleep(60_000, signal), late)
  await assert.rejects(endless, { code: 'TL_ENGINE_START', detail: 'waited 5 ms for the engine', hint: 'see its log' })
})

test('work in time gives its value, and its own failures pass unchanged', async () => {
  assert.equal(await withDeadline(60_000, undefined, async () => 7, late), 7)
  await assert.rejects(
    withDeadline(60_000, undefined, async () => Promise.reject(new Error('own')), late),
    /own/,
  )
})

test('a caller who gives up is not told of a deadline', async () => {
  const parent = AbortSignal.abort(new Error('stopped'))
  await assert.rejects(
    withDeadline(60_000, parent, (signal) => systemClock.sleep(60_000, signal), late),
    /stopped/,
  )
})

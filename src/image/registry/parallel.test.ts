import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { forEachOf } from './parallel.ts'

test('each item is worked on once, never more than the limit at a time', async () => {
  const done: number[] = []
  let running = 0
  let most = 0
  await forEachOf([1, 2, 3, 4, 5], 2, undefined, async (item) => {
    most = Math.max(most, ++running)
    await nextTurn()
    running--
    done.push(item)
  })
  assert.deepEqual(new Set(done), new Set([1, 2, 3, 4, 5]))
  assert.equal(done.length, 5)
  assert.equal(most, 2)
})

test('the first failure stops the others, and is the one that is told', async () => {
  const seen: string[] = []
  const work = forEachOf(['bad', 'other', 'never'], 2, undefined, async (item, signal) => {
    seen.push(item)
    if (item === 'bad') throw new Error('first')
    await nextTurn()
    signal.throwIfAborted()
  })
  await assert.rejects(work, { message: 'first' })
  assert.deepEqual(seen, ['bad', 'other'])
})

test('a signal from outside stops all with its reason', async () => {
  const stop = new AbortController()
  const work = forEachOf([1, 2, 3], 1, stop.signal, async () => stop.abort(new Error('enough')))
  await assert.rejects(work, { message: 'enough' })
})

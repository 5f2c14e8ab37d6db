import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { retryMended } from './mended-cache.ts'

/** A cache with some damaged parts, and how often it was looked through. */
function makeCache(damaged: number) {
  let looks = 0
  const removeDamaged = (): Promise<number> => {
    looks += 1
    const removed = damaged
    damaged = 0
    return Promise.resolve(removed)
  }
  return { removeDamaged, isDamaged: () => damaged > 0, looks: () => looks }
}

test('what fails because of damage runs once more without it', async () => {
  for (const code of ['TL_BLOB_MISMATCH', 'TL_IMAGE_UNREADABLE', 'TL_FILE_UNREADABLE'] as const) {
    const cache = makeCache(2)
    const work = (): Promise<string> =>
      cache.isDamaged() ? Promise.reject(new TowlineError(code, 'flipped')) : Promise.resolve('made')
    assert.equal(await retryMended(cache, work), 'made')
    assert.equal(await retryMended(cache, work), 'made')
    assert.equal(cache.looks(), 1, 'where nothing fails nothing is read')
  }
})

test('a failure without damage, one that goes on, and one of another kind are told as they are', async () => {
  let runs = 0
  const failing = (error: Error) => (): Promise<never> => {
    runs += 1
    return Promise.reject(error)
  }
  const mismatch = new TowlineError('TL_BLOB_MISMATCH', 'of the registry')
  const isIt = (error: unknown): boolean => error === mismatch
  await assert.rejects(retryMended(makeCache(0), failing(mismatch)), isIt)
  assert.equal(runs, 1)
  await assert.rejects(retryMended(makeCache(1), failing(mismatch)), isIt)
  assert.equal(runs, 3)
  const cache = makeCache(1)
  const refused = new TowlineError('TL_REGISTRY_REFUSED', 'no')
  await assert.rejects(retryMended(cache, failing(refused)), (error) => error === refused)
  assert.equal(cache.looks(), 0)
})

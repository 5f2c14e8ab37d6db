import { test } from 'node:test'
import { openEnginePlace } from './engine-place.ts'
import { holdSentences } from './hold-sentences.ts'

test('services of an engine behave as those of a cluster', async (t) => {
  await holdSentences(t, await openEnginePlace(t))
})

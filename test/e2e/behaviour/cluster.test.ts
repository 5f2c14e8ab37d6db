import { test } from 'node:test'
import { openClusterPlace } from './cluster-place.ts'
import { holdSentences } from './hold-sentences.ts'

test('services of a cluster behave as those of an engine', async (t) => {
  const place = await openClusterPlace(t)
  if (place !== undefined) await holdSentences(t, place)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TowlineError } from '../../base/errors.ts'
import { explainFailure } from './explain-failure.ts'

test('an API server that is gone, a right that is missing and an eviction that is refused are causes too', () => {
  const gone = explainFailure(new TowlineError('TL_CLUSTER_UNREACHABLE', 'https://127.0.0.1:1: connection refused'), 5)
  assert.deepEqual([gone.reason, gone.final, gone.sinceMs], ['ClusterUnreachable', false, 5])
  assert.match(gone.advice, /kubectl version/)
  const forbidden = explainFailure(
    new TowlineError('TL_CLUSTER_FORBIDDEN', 'User "ann" cannot list pods', { hint: 'ask for a role' }),
    5,
  )
  assert.deepEqual(
    [forbidden.reason, forbidden.sentence, forbidden.advice, forbidden.final],
    ['Forbidden', 'User "ann" cannot list pods', 'ask for a role', true],
  )
  const refused = new TowlineError(
    'TL_CLUSTER_REFUSED',
    "Cannot evict pod as it would violate the pod's disruption budget.",
  )
  assert.equal(explainFailure(refused, 5).reason, 'EvictionBlocked')
})

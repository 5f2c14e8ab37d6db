import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleRollout, sampleService } from '../../../../test/kit/rollout-sample.ts'
import { decideRollback } from './rollback.ts'

const orderOf = (decided: ReturnType<typeof decideRollback>) => ('nothing' in decided ? 'nothing' : decided.order)

test('with no rollout it goes from the revision that was seen, so that twice is once', () => {
  assert.deepEqual(orderOf(decideRollback(sampleService(), null)), { verb: 'Rollback', from: 3, to: null })
  assert.deepEqual(orderOf(decideRollback(sampleService(), 1)), { verb: 'Rollback', from: 3, to: 1 })
})

test('during a rollout the way back is the abort of that very rollout', () => {
  const service = sampleService({ rollout: sampleRollout() })
  const abort = { verb: 'Abort', plan: 'plan-1' }
  assert.deepEqual([orderOf(decideRollback(service, null)), orderOf(decideRollback(service, 3))], [abort, abort])
})

test('a rollback that goes on is not turned round by another one', () => {
  const service = sampleService({ revision: 4, rollout: sampleRollout({ kind: 'Switch', from: 4, to: 3 }) })
  assert.deepEqual(
    [orderOf(decideRollback(service, null)), orderOf(decideRollback(service, 3))],
    ['nothing', 'nothing'],
  )
})

test('another goal in the middle of a rollout is for the engine to refuse', () => {
  const service = sampleService({ rollout: sampleRollout() })
  assert.deepEqual(orderOf(decideRollback(service, 1)), { verb: 'Rollback', from: 3, to: 1 })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleRecord, sampleRevision, sampleService } from '../../../test/kit/service-sample.ts'
import { resolveRollout } from '../../spec/resolve/resolve-rollout.ts'
import type { ServiceRecord } from './records.ts'
import { forgetRevisions } from './revision-history.ts'

const record = sampleRecord(
  sampleService({ rollout: resolveRollout({ revisionHistoryLimit: 2 }, '/') }),
  [1, 2, 3, 4, 5, 6, 7].map((number) => sampleRevision(number)),
)
const kept = (change: Partial<ServiceRecord> = {}, running: readonly number[] = []): number[] =>
  forgetRevisions({ ...record, ...change }, new Set(running)).map(({ number }) => number)

test('as many earlier revisions are kept as the spec says, the newest ones', () => {
  assert.deepEqual(kept(), [5, 6, 7])
})

test('what runs, what is wanted, what stands ready and what waits for a retry is never forgotten', () => {
  const cause = { reason: 'ByHand', message: 'm', hint: null } as const
  assert.deepEqual(kept({}, [1]), [1, 5, 6, 7])
  assert.deepEqual(kept({ target: 2 }), [2, 5, 6, 7])
  assert.deepEqual(kept({ warm: [{ revision: 3, replicas: 1, untilMs: 9 }] }), [3, 5, 6, 7])
  assert.deepEqual(kept({ rejected: { revision: 4, hash: 'h', cause, atMs: 0 } }), [4, 5, 6, 7])
})

test('one that never served is nothing to go back to', () => {
  const revisions = record.revisions.map((one) => ({ ...one, proven: one.number !== 6 }))
  assert.deepEqual(kept({ revisions }), [4, 5, 7])
})

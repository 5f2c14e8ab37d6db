import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleService } from '../../../test/kit/rollout-sample.ts'
import { renderHistory } from './history-table.ts'

test('the newest revision and the newest rollout come first, with what ended it', () => {
  const cause = { reason: 'Crashed', message: 'it crashed', hint: null } as const
  const ended = { id: 'p', kind: 'Canary', from: 3, to: 4, modelDigest: '', startedAtMs: 0, endedAtMs: 30_000 } as const
  const rollouts = [
    { ...ended, outcome: 'Promoted', cause: null },
    { ...ended, to: 5, outcome: 'Aborted', cause },
  ] as const
  assert.deepEqual(renderHistory({ revisions: sampleService().revisions, rollouts }, 60_000).split('\n'), [
    'REVISION  ROLE       MODEL      MADE         REPLICAS  HAS SERVED',
    '4         Candidate  c01d44ff…  1 m 0 s ago  1         no',
    '3         Stable     7793a8ff…  1 m 0 s ago  1         yes',
    '',
    'ROLLOUT  KIND    OUTCOME   ENDED       TOOK    WHY',
    '3 → 5    Canary  Aborted   30.0 s ago  30.0 s  Crashed: it crashed',
    '3 → 4    Canary  Promoted  30.0 s ago  30.0 s',
  ])
})

test('a service that has always been the same has no rollout to show', () => {
  assert.match(renderHistory({ revisions: [], rollouts: [] }, 0), /no rollout has ended yet/)
})

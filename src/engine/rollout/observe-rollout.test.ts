import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicaObservation } from '../../decide/replicas.ts'
import type { ReplicaRecord } from '../state/records.ts'
import { type RolledReplica, observeRevision } from './observe-rollout.ts'

type Failure = ReplicaRecord['lastFailure']
function replica(seen: Partial<ReplicaObservation> = {}, lastFailure: Failure = null): RolledReplica {
  const observation: ReplicaObservation = {
    name: 'cats-1',
    revision: 4,
    phase: 'Ready',
    inRoute: true,
    ending: null,
    startedAtMs: 0,
    dueAtMs: 0,
    proven: true,
    failures: 0,
    hopeless: false,
    ...seen,
  }
  return { record: { revision: observation.revision, restarts: 2, lastFailure }, observe: () => observation }
}
const failed = (reason: string, hint: string | null = null) => ({ reason, message: 'no such operator', hint, atMs: 0 })
const unproven = { phase: 'Waiting', inRoute: false, proven: false } as const

test('only replicas of the revision count: those there are, those that stay, those that can serve and those that do', () => {
  const replicas = [
    replica(),
    replica({ inRoute: false }),
    replica({ phase: 'Starting', inRoute: false }),
    replica({ phase: 'Unready' }),
    replica({ ending: 'Restart' }),
    replica({ ending: 'Retire' }),
    replica({ phase: 'Draining', inRoute: false, ending: 'Retire' }),
    replica({ revision: 3 }),
  ]
  assert.deepEqual(observeRevision(4, replicas), {
    total: 7,
    staying: 5,
    ready: 2,
    serving: 1,
    restarts: 14,
    failure: null,
  })
  assert.deepEqual(observeRevision(5, replicas), {
    total: 0,
    staying: 0,
    ready: 0,
    serving: 0,
    restarts: 0,
    failure: null,
  })
})

test('a replica that nobody expects any more speaks against its revision, with the reason it gave', () => {
  const given = replica({ ...unproven, failures: 3 }, failed('Crashed', 'see its log'))
  assert.deepEqual(observeRevision(4, [replica(), given]).failure, {
    reason: 'NeverReady',
    message: 'revision 4 never became ready: no such operator',
    hint: 'see its log',
  })
  assert.equal(observeRevision(3, [given]).failure, null)
  const silent = observeRevision(4, [replica({ ...unproven, failures: 3 })]).failure
  assert.equal(silent?.message, 'revision 4 never became ready: it gave no reason')
})

test('smoke requests that were not answered as they should are told as such', () => {
  const { failure } = observeRevision(4, [replica({ ...unproven, hopeless: true }, failed('SmokeFailed'))])
  assert.deepEqual(failure, {
    reason: 'SmokeFailed',
    message: 'revision 4 does not answer its smoke requests as it should: no such operator',
    hint: null,
  })
})

test('what has been ready once, may still start, or is on its way out speaks against nothing', () => {
  const replicas = [
    replica({ ...unproven, proven: true, failures: 9 }, failed('Crashed')),
    replica({ ...unproven, failures: 2 }, failed('Crashed')),
    replica({ ...unproven, failures: 3, ending: 'Retire' }, failed('Crashed')),
  ]
  assert.equal(observeRevision(4, replicas).failure, null)
})

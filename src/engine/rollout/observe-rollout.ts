import type { RevisionObservation } from '../../decide/rollout/observation.ts'
import type { Cause } from '../../decide/rollout/state.ts'
import { type ReplicaObservation, isGivenUp, isServing, isUsable } from '../../decide/replicas.ts'
import type { ReplicaRecord } from '../state/records.ts'

/** What a rollout looks at of one replica. */
export interface RolledReplica {
  readonly record: Pick<ReplicaRecord, 'revision' | 'restarts' | 'lastFailure'>
  observe(): ReplicaObservation
}

/** The replicas of one revision, as a rollout counts them. */
export function observeRevision(revision: number, replicas: readonly RolledReplica[]): RevisionObservation {
  const own = replicas.filter(({ record }) => record.revision === revision)
  const seen = own.map((replica) => replica.observe())
  return {
    total: seen.length,
    staying: seen.filter(({ ending }) => ending !== 'Retire').length,
    ready: seen.filter(isUsable).length,
    serving: seen.filter(isServing).length,
    restarts: own.reduce((sum, { record }) => sum + record.restarts, 0),
    failure:
      own.flatMap((replica) => (isGivenUp(replica.observe()) ? explainFailure(revision, replica) : []))[0] ?? null,
  }
}

function explainFailure(revision: number, { record: { lastFailure } }: RolledReplica): Cause {
  const isSmoke = lastFailure?.reason === 'SmokeFailed'
  const what = isSmoke ? 'does not answer its smoke requests as it should' : 'never became ready'
  return {
    reason: isSmoke ? 'SmokeFailed' : 'NeverReady',
    message: `revision ${revision} ${what}: ${lastFailure?.message ?? 'it gave no reason'}`,
    hint: lastFailure?.hint ?? null,
  }
}

import type { ClusterObservation } from '../../cluster/observation.ts'
import type { Cause as ClusterCause } from '../../cluster/explain/cause.ts'
import { byHand } from '../../cluster/orders/verdict.ts'
import { managers } from '../../cluster/concerns.ts'
import {
  type ClusterRevision,
  type Turn,
  endOfRollout,
  findTurn,
  listRevisions,
  startOfRollout,
} from '../../cluster/revisions.ts'
import type { Cause } from '../../decide/rollout/state.ts'
import type { EndedRollout } from '../../engine/state/records.ts'
import type { RevisionStatus } from '../../engine/service-status.ts'
import type { HistoryStatus, RolloutStatus, ServiceStatus } from '../api.ts'

/** On the way out of a revision that never served there is nobody to take a place from; one that was rolled back by hand did serve. */
export function findShownTurn(observation: ClusterObservation): Turn {
  const { stable, candidate } = findTurn(observation)
  const servedNever =
    stable !== null && stable.rejected !== null && stable.rejected !== byHand.rolledBack && stable.ready === 0
  return candidate !== null && servedNever ? { stable: candidate, candidate: null } : { stable, candidate }
}

/** A change that cannot go on by itself is one that waits for a person. The first revision of all takes nobody's place. */
export function describeRollout(
  observation: ClusterObservation,
  causes: readonly ClusterCause[] = [],
): RolloutStatus | null {
  const { stable, candidate } = findShownTurn(observation)
  if (stable === null || candidate === null) return null
  const wanted = observation.deployment?.spec?.replicas ?? 1
  const pause = describePause(observation, candidate, causes)
  return {
    id: rolloutId(candidate.number),
    kind: 'Rolling',
    from: stable.number,
    to: candidate.number,
    phase: pause === null ? 'Rolling' : 'Paused',
    startedAtMs: startOfRollout(observation, candidate),
    weights: [],
    step: null,
    candidate: { wanted, ready: candidate.ready, weight: null },
    bake: null,
    pause,
    analysis: null,
    cause: null,
    moved: candidate.ready,
  }
}

function describePause(
  { deployment }: ClusterObservation,
  { label, createdAtMs }: ClusterRevision,
  causes: readonly ClusterCause[],
): RolloutStatus['pause'] {
  if (deployment?.spec?.paused === true)
    return { reason: 'ByHand', message: 'the Deployment is paused', sinceMs: createdAtMs }
  const cause = causes.find((each) => each.final && each.blocks === 'Rollout' && each.revision === label)
  return cause === undefined
    ? null
    : { reason: 'Failed', message: `${cause.subject}: ${cause.sentence}`, sinceMs: cause.sinceMs }
}

/** The last one that was given up, while nothing came after it but the way back; what is being tried again is not given up yet. */
export function describeRejected(
  observation: ClusterObservation,
  rollout: RolloutStatus | null,
): ServiceStatus['rejected'] {
  const [last, before] = listRevisions(observation).toReversed()
  const isTried = rollout?.phase === 'Rolling' && rollout.to === last?.number
  const given = last?.rejected !== null && !isTried ? last : before
  if (given === undefined || given.rejected === null) return null
  return { revision: given.number, ...causeOf(given.rejected), atMs: judgedAtMs(given) }
}

function causeOf(verdict: string): Cause & { readonly reason: 'ByHand' | 'NeverReady' } {
  return verdict === byHand.takenBack || verdict === byHand.rolledBack
    ? { reason: 'ByHand', message: verdict, hint: '`towline deploy` tries it again' }
    : { reason: 'NeverReady', message: verdict, hint: null }
}

function judgedAtMs({ replicaSet, createdAtMs }: ClusterRevision): number {
  const time = replicaSet.metadata?.managedFields?.find(({ manager }) => manager === managers.verdict)?.time
  return time === undefined ? createdAtMs : Date.parse(time)
}

/** Of rollouts that succeeded a Deployment remembers the last one alone, and those that were given up have a verdict. */
export function describeHistory(observation: ClusterObservation): HistoryStatus {
  const kept = listRevisions(observation)
  const last = kept.at(-1)
  const endedAtMs = endOfRollout(observation)
  const promoted: EndedRollout[] =
    last === undefined || last.number === 1 || endedAtMs === undefined || last.rejected !== null
      ? []
      : [
          {
            ...describeEnd(last),
            startedAtMs: startOfRollout(observation, last),
            endedAtMs,
            outcome: 'Promoted',
            cause: null,
          },
        ]
  const aborted = kept.flatMap((revision): EndedRollout[] => {
    const { number, rejected, createdAtMs } = revision
    // One that is being tried again has not ended.
    if (
      rejected === null ||
      rejected === byHand.rolledBack ||
      number === 1 ||
      (number === last?.number && endedAtMs === undefined)
    )
      return []
    const judged = { startedAtMs: createdAtMs, endedAtMs: judgedAtMs(revision) }
    return [{ ...describeEnd(revision), ...judged, outcome: 'Aborted', cause: causeOf(rejected) }]
  })
  return { revisions: describeRevisions(observation), rollouts: [...aborted, ...promoted] }
}

/** Numbers are given one after the other, and what has come back has a new one: that before it is the one whose place it took. */
function describeEnd(revision: ClusterRevision) {
  const { number } = revision
  const modelDigest = modelDigestOf(revision)
  return { id: rolloutId(number), kind: 'Rolling' as const, from: number - 1, to: number, modelDigest }
}

export function describeRevisions(observation: ClusterObservation): ServiceStatus['revisions'] {
  const { stable, candidate } = findShownTurn(observation)
  return listRevisions(observation).map((revision) => ({
    number: revision.number,
    role: roleOf(revision, { stable, candidate }),
    modelDigest: modelDigestOf(revision),
    createdAtMs: revision.createdAtMs,
    // A ReplicaSet is kept as earlier once another has taken its place; that one has to show itself first.
    proven:
      revision.rejected === null &&
      revision.number !== candidate?.number &&
      (revision.number !== stable?.number || revision.ready > 0),
    replicas: revision.replicas,
    latency: null,
  }))
}

function roleOf({ number, rejected }: ClusterRevision, { stable, candidate }: Turn): RevisionStatus['role'] {
  if (number === stable?.number) return 'Stable'
  if (number === candidate?.number) return 'Candidate'
  return rejected === null ? 'Earlier' : 'Rejected'
}

export function modelDigestOf({ replicaSet }: ClusterRevision): string {
  return replicaSet.spec?.template?.metadata?.annotations?.['towline.dev/model-digest'] ?? ''
}

function rolloutId(number: number): string {
  return `revision-${number}`
}

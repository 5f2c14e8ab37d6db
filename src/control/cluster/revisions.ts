import type { ClusterObservation } from '../../cluster/observation.ts'
import type { Cause } from '../../cluster/explain/cause.ts'
import { type ClusterRevision, type Turn, endOfRollout, findTurn, listRevisions } from '../../cluster/revisions.ts'
import type { RevisionStatus } from '../../engine/service-status.ts'
import type { HistoryStatus, RolloutStatus, ServiceStatus } from '../api.ts'

/** A change that cannot go on by itself is one that waits for a person. The first revision of all takes nobody's place. */
export function describeRollout(observation: ClusterObservation, causes: readonly Cause[] = []): RolloutStatus | null {
  const { stable, candidate } = findTurn(observation)
  if (stable === null || candidate === null) return null
  const wanted = observation.deployment?.spec?.replicas ?? 1
  const pause = describePause(observation, candidate, causes)
  return {
    id: rolloutId(candidate.number),
    kind: 'Rolling',
    from: stable.number,
    to: candidate.number,
    phase: pause === null ? 'Rolling' : 'Paused',
    startedAtMs: candidate.createdAtMs,
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
  causes: readonly Cause[],
): RolloutStatus['pause'] {
  if (deployment?.spec?.paused === true)
    return { reason: 'ByHand', message: 'the Deployment is paused', sinceMs: createdAtMs }
  const cause = causes.find((each) => each.final && each.blocks === 'Rollout' && each.revision === label)
  return cause === undefined
    ? null
    : { reason: 'Failed', message: `${cause.subject}: ${cause.sentence}`, sinceMs: cause.sinceMs }
}

/** Of rollouts that have ended a Deployment remembers the last one alone; of earlier ones it keeps what they brought. */
export function describeHistory(observation: ClusterObservation): HistoryStatus {
  const [before, last] = listRevisions(observation).slice(-2)
  const endedAtMs = endOfRollout(observation)
  const known = before !== undefined && last !== undefined && endedAtMs !== undefined
  return {
    revisions: describeRevisions(observation),
    rollouts: known
      ? [
          {
            id: rolloutId(last.number),
            kind: 'Rolling',
            from: before.number,
            to: last.number,
            modelDigest: modelDigestOf(last),
            startedAtMs: last.createdAtMs,
            endedAtMs,
            outcome: 'Promoted',
            cause: null,
          },
        ]
      : [],
  }
}

export function describeRevisions(observation: ClusterObservation): ServiceStatus['revisions'] {
  const { stable, candidate } = findTurn(observation)
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

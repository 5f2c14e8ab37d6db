import type { ClusterObservation } from '../../cluster/observation.ts'
import { type ClusterRevision, findTurn, listRevisions } from '../../cluster/revisions.ts'
import type { HistoryStatus, RolloutStatus, ServiceStatus } from '../api.ts'

/** A change goes on while older pods are there; the first revision of all is none that takes another's place. */
export function describeRollout(observation: ClusterObservation): RolloutStatus | null {
  const { stable, candidate } = findTurn(observation)
  if (stable === null || candidate === null) return null
  const wanted = observation.deployment?.spec?.replicas ?? 1
  return {
    id: rolloutId(candidate.number),
    kind: 'Rolling',
    from: stable.number,
    to: candidate.number,
    phase: observation.deployment?.spec?.paused === true ? 'Paused' : 'Rolling',
    startedAtMs: candidate.createdAtMs,
    weights: [],
    step: null,
    candidate: { wanted, ready: candidate.ready, weight: null },
    bake: null,
    pause:
      observation.deployment?.spec?.paused === true
        ? { reason: 'ByHand', message: 'the Deployment is paused', sinceMs: candidate.createdAtMs }
        : null,
    analysis: null,
    cause: null,
    moved: candidate.ready,
  }
}

/** Of rollouts that have ended a Deployment remembers the last one alone; of earlier ones it keeps what they brought. */
export function describeHistory(observation: ClusterObservation): HistoryStatus {
  const [before, last] = listRevisions(observation).slice(-2)
  const endedAtMs = endOf(observation)
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
    role:
      revision.number === stable?.number ? 'Stable' : revision.number === candidate?.number ? 'Candidate' : 'Earlier',
    modelDigest: modelDigestOf(revision),
    createdAtMs: revision.createdAtMs,
    // A ReplicaSet is kept as earlier once another has taken its place; that one has to show itself first.
    proven: revision.number !== candidate?.number && (revision.number !== stable?.number || revision.ready > 0),
    replicas: revision.replicas,
    latency: null,
  }))
}

export function modelDigestOf({ replicaSet }: ClusterRevision): string {
  return replicaSet.spec?.template?.metadata?.annotations?.['towline.dev/model-digest'] ?? ''
}

function rolloutId(number: number): string {
  return `revision-${number}`
}

/** Undefined while it goes on, and where it failed. */
function endOf({ deployment }: ClusterObservation): number | undefined {
  const progressing = deployment?.status?.conditions?.find(({ type }) => type === 'Progressing')
  return progressing?.reason === 'NewReplicaSetAvailable' ? Date.parse(progressing.lastUpdateTime ?? '') : undefined
}

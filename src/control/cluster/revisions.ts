import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { ClusterObservation } from '../../cluster/observation.ts'
import type { HistoryStatus, RolloutStatus, ServiceStatus } from '../api.ts'

/** The revisions of a service, as its Deployment keeps them: one ReplicaSet each, numbered by when it last became the newest. */
export interface ClusterRevision {
  readonly number: number
  readonly replicaSet: ReplicaSet
  readonly createdAtMs: number
  readonly replicas: number
  readonly ready: number
}

const revisionKey = 'deployment.kubernetes.io/revision'

/** Oldest first. */
export function listRevisions({ replicaSets }: Pick<ClusterObservation, 'replicaSets'>): readonly ClusterRevision[] {
  return replicaSets
    .map((replicaSet) => ({
      number: Number(replicaSet.metadata?.annotations?.[revisionKey] ?? 0),
      replicaSet,
      createdAtMs: Date.parse(replicaSet.metadata?.creationTimestamp ?? ''),
      replicas: replicaSet.status?.replicas ?? 0,
      ready: replicaSet.status?.availableReplicas ?? 0,
    }))
    .toSorted((a, b) => a.number - b.number)
}

export interface Turn {
  /** Null: none is there yet. */
  readonly stable: ClusterRevision | null
  /** The one that is to take its place; null: none. */
  readonly candidate: ClusterRevision | null
}

/** Who serves, and who is to. Pods of an older revision that are still there mean that the change goes on. */
export function findTurn(observation: ClusterObservation): Turn {
  const revisions = listRevisions(observation)
  const newest = revisions.at(-1) ?? null
  const older = revisions.findLast(({ number, replicas }) => number !== newest?.number && replicas > 0)
  return older === undefined ? { stable: newest, candidate: null } : { stable: older, candidate: newest }
}

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

import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import { keys } from '../render/names.ts'
import { marks } from './concerns.ts'
import type { ClusterObservation } from './observation.ts'

/** The revisions of a service, as its Deployment keeps them: one ReplicaSet each, numbered by when it last became the newest. */
export interface ClusterRevision {
  readonly number: number
  /** Label `towline.dev/revision`: the same for all ReplicaSets that were made of one spec. */
  readonly label: string
  readonly replicaSet: ReplicaSet
  readonly createdAtMs: number
  readonly replicas: number
  readonly ready: number
  /** Why it was given up; null: it was not. */
  readonly rejected: string | null
}

const revisionKey = 'deployment.kubernetes.io/revision'

/** Oldest first. */
export function listRevisions({ replicaSets }: Pick<ClusterObservation, 'replicaSets'>): readonly ClusterRevision[] {
  return replicaSets
    .map((replicaSet) => ({
      number: Number(replicaSet.metadata?.annotations?.[revisionKey] ?? 0),
      label: replicaSet.metadata?.labels?.[keys.revision] ?? '',
      replicaSet,
      createdAtMs: Date.parse(replicaSet.metadata?.creationTimestamp ?? ''),
      replicas: replicaSet.status?.replicas ?? 0,
      ready: replicaSet.status?.availableReplicas ?? 0,
      rejected: replicaSet.metadata?.annotations?.[marks.rejected] ?? null,
    }))
    .toSorted((a, b) => a.number - b.number)
}

export interface Turn {
  /** Null: none is there yet. */
  readonly stable: ClusterRevision | null
  /** The one that is to take its place; null: none. */
  readonly candidate: ClusterRevision | null
}

/**
 * Who serves, and who is to. A change goes on while pods of an older revision are there, and until the Deployment says that the new
 * one is complete: where all old pods go first, none may be there in between.
 */
export function findTurn(observation: Pick<ClusterObservation, 'replicaSets' | 'deployment'>): Turn {
  const revisions = listRevisions(observation)
  const newest = revisions.at(-1) ?? null
  // A pause takes the place of what the Deployment says of its end, also where nothing was going on, or nothing has begun.
  const isHeld = observation.deployment?.spec?.paused === true && newest !== null && newest.ready > 0
  const older =
    revisions.findLast(({ number, replicas }) => number !== newest?.number && replicas > 0) ??
    (endOfRollout(observation) === undefined && !isHeld ? revisions.at(-2) : undefined)
  return older === undefined ? { stable: newest, candidate: null } : { stable: older, candidate: newest }
}

/** When the newest revision was complete; undefined while it goes on, and where it failed. */
export function endOfRollout({ deployment }: Pick<ClusterObservation, 'deployment'>): number | undefined {
  const progressing = deployment?.status?.conditions?.find(({ type }) => type === 'Progressing')
  return progressing?.reason === 'NewReplicaSetAvailable' ? Date.parse(progressing.lastUpdateTime ?? '') : undefined
}

/**
 * When the newest revision began to take its place. A ReplicaSet that came back is older than that: then the last change of the
 * pods' template counts, as its managers' notes have it.
 */
export function startOfRollout(
  observation: Pick<ClusterObservation, 'deployment'>,
  { createdAtMs }: Pick<ClusterRevision, 'createdAtMs'>,
): number {
  const owners = observation.deployment?.metadata?.managedFields ?? []
  const changesMs = owners
    .filter(({ fieldsV1 }) => ownsTemplate(fieldsV1))
    .map(({ time }) => Date.parse(time ?? ''))
    .filter((timeMs) => timeMs <= (endOfRollout(observation) ?? Infinity))
  return Math.max(createdAtMs, ...changesMs)
}

function ownsTemplate(fields: unknown): boolean {
  const spec = (fields as { readonly 'f:spec'?: object } | undefined)?.['f:spec']
  return spec !== undefined && 'f:template' in spec
}

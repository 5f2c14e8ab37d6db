import type { Pod } from 'kubernetes-types/core/v1.js'
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.js'
import type { ClusterObservation } from '../observation.ts'
import type { ReplicaCounts } from './cause.ts'
import { revisionLabel } from './sight.ts'

/** Counted from the pods themselves: what a Deployment's status says is of some moment before. */
export function countReplicas({ deployment, pods }: ClusterObservation): ReplicaCounts {
  const newest = deployment?.spec?.template.metadata?.labels?.[revisionLabel]
  const living = pods.filter(
    ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded',
  )
  const updated = living.filter(({ metadata }) => metadata?.labels?.[revisionLabel] === newest)
  return {
    desired: deployment?.spec?.replicas ?? 0,
    updated: updated.length,
    ready: updated.filter(isReady).length,
    old: living.length - updated.length,
    serving: living.filter(isReady).length,
  }
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
}

/** The Deployment's controller has seen the present spec, and says that all of it is so. */
export function isComplete({ deployment }: ClusterObservation, { desired, ready, old }: ReplicaCounts): boolean {
  const { metadata, status } = deployment ?? {}
  if (status?.observedGeneration !== metadata?.generation) return false
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status ?? {}
  const says = updatedReplicas === desired && availableReplicas === desired && replicas === desired
  return says && ready >= desired && old === 0
}

/** Of an endpoint that does not say whether it is ready it is to be taken for granted. */
export function hasReadyEndpoint(slices: readonly EndpointSlice[]): boolean {
  return slices.some((slice) => (slice.endpoints ?? []).some(({ conditions }) => conditions?.ready !== false))
}

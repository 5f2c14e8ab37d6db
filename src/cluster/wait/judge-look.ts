import type { Cause, Explanation } from '../explain/cause.ts'
import { hasReadyEndpoint, isComplete } from '../explain/counts.ts'
import { isHindrance } from '../explain/state.ts'
import { revisionLabel } from '../explain/sight.ts'
import type { ClusterObservation } from '../observation.ts'

/** A cause that will not mend itself is watched for so long before it counts: what passes by itself has passed by then. */
export const settleMs = 3000

/** The cause that is being watched. */
export interface Held {
  readonly reason: string
  readonly sinceMs: number
}

export type LookVerdict =
  | { readonly kind: 'Ready' }
  | { readonly kind: 'Wait'; readonly held: Held | undefined }
  | { readonly kind: 'Failed'; readonly cause: Cause }
  /** Another revision is wanted by now, or none. */
  | { readonly kind: 'Replaced'; readonly by: string | undefined }

export interface Awaited {
  readonly revision: string
  /** Somebody adds nodes: a pod that has none waits, however little there is to hope for now. */
  readonly expectNodes: boolean
}

/** Pure: what a look says of the revision that is waited for. `held` is that of the look before. */
export function judgeLook(
  look: ClusterObservation,
  { causes, replicas }: Explanation,
  { revision, expectNodes }: Awaited,
  held: Held | undefined,
): LookVerdict {
  const wanted = look.deployment?.spec?.template.metadata?.labels?.[revisionLabel]
  if (wanted !== revision) return { kind: 'Replaced', by: wanted }
  // What an earlier revision suffers from is what the new one may be the cure of.
  const cause = causes.find(
    (cause) =>
      cause.final &&
      isHindrance(cause) &&
      (cause.revision === null || cause.revision === revision) &&
      !(expectNodes && isWithoutNode(look, cause)),
  )
  if (cause === undefined) {
    const open = replicas.desired === 0 || hasEndpoints(look)
    return isComplete(look, replicas) && open ? { kind: 'Ready' } : { kind: 'Wait', held: undefined }
  }
  const sinceMs = held?.reason === cause.reason ? held.sinceMs : look.atMs
  if (look.atMs - sinceMs >= settleMs) return { kind: 'Failed', cause }
  return { kind: 'Wait', held: { reason: cause.reason, sinceMs } }
}

function isWithoutNode({ pods }: ClusterObservation, { subject }: Cause): boolean {
  return pods.some(({ metadata, spec }) => subject === `pod ${metadata?.name}` && spec?.nodeName === undefined)
}

function hasEndpoints({ endpoints, unseen }: ClusterObservation): boolean {
  if (unseen.some(({ what }) => what === 'EndpointSlices')) return true
  return hasReadyEndpoint(endpoints)
}

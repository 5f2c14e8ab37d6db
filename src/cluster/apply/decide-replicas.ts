/** What is known of the number of replicas before a spec is applied. */
export interface ReplicasQuestion {
  /** Of the Deployment as it is; absent: there is none. */
  readonly live?: {
    readonly replicas: number
    /** The number of the spec that was applied last; absent: an autoscaler counted, or somebody else made it. */
    readonly specReplicas?: number | undefined
  }
  /** Of the spec; null: an autoscaler's. */
  readonly wanted: number | null
  /** The least that an autoscaler allows. */
  readonly minReplicas: number
}

export type ReplicasDecision =
  /** Whoever set it last, a person or an autoscaler, is right. */
  | { readonly kind: 'Keep'; readonly replicas: number }
  /** `specReplicas`: the number of the spec that is noted with it; null: an autoscaler counts from now on. */
  | { readonly kind: 'Set'; readonly replicas: number; readonly specReplicas: number | null }

/**
 * A number that somebody set stays until the spec's own number changes: no apply takes back what was scaled. What is noted is
 * written together with the number, so that a deploy that was cut off in between is made up for by the next.
 */
export function decideReplicas({ live, wanted, minReplicas }: ReplicasQuestion): ReplicasDecision {
  const set = (replicas: number): ReplicasDecision => ({ kind: 'Set', replicas, specReplicas: wanted })
  const start = wanted ?? Math.max(1, minReplicas)
  if (live === undefined) return set(start)
  if (live.specReplicas === (wanted ?? undefined)) return { kind: 'Keep', replicas: live.replicas }
  if (wanted !== null) return set(wanted)
  // An autoscaler leaves 0 alone: it would never wake up what a spec before it had put to sleep.
  return set(live.replicas === 0 && live.specReplicas === 0 ? start : live.replicas)
}

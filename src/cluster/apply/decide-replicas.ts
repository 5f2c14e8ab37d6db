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

/** `Keep`: whoever set it last, a person or an autoscaler, is right. */
export interface ReplicasDecision {
  readonly kind: 'Keep' | 'Set'
  readonly replicas: number
}

/** A number that somebody set stays until the spec's own number changes: no apply takes back what was scaled. */
export function decideReplicas({ live, wanted, minReplicas }: ReplicasQuestion): ReplicasDecision {
  const start = wanted ?? Math.max(1, minReplicas)
  const set = { kind: 'Set', replicas: start } as const
  if (live === undefined) return set
  const keep = { kind: 'Keep', replicas: live.replicas } as const
  // An autoscaler leaves 0 alone: it would never wake up what a spec before it had put to sleep.
  if (wanted === null) return live.replicas === 0 && live.specReplicas === 0 ? set : keep
  return live.specReplicas === wanted || live.replicas === wanted ? keep : set
}

/**
 * Why something is not as it should be. `sentence` and `advice` are clauses without a capital or a final stop, as the detail
 * and the hint of a `TowlineError` are.
 */
export interface Cause extends Finding {
  /** What it was seen at: `pod cats-5cf45df9dc-x7k2p`, `3 pods (cats-…)`, `Service cats`. */
  readonly subject: string
  /** Label `towline.dev/revision` of what has it; null: the service as a whole. */
  readonly revision: string | null
}

/** A cause before it is known how many have it. */
export interface Finding {
  /** CamelCase and stable: scripts and tests may rely on it. */
  readonly reason: string
  readonly sentence: string
  readonly advice: string
  /** What was read, in the words of whoever wrote it. */
  readonly evidence: readonly string[]
  /** It will not mend itself: somebody has to change something. */
  readonly final: boolean
  /** When the cluster knew, in milliseconds since 1970. */
  readonly sinceMs: number
  /** What it stands in the way of. */
  readonly blocks: 'Rollout' | 'Traffic' | 'Scaling' | 'Drain'
}

/** What a rule tells of a trouble whose time and evidence are known. `final` absent: it is. */
export type Told = Pick<Finding, 'reason' | 'sentence' | 'advice'> & { readonly final?: boolean }

export type ServiceState = 'Missing' | 'Ready' | 'Progressing' | 'Degraded' | 'Failed' | 'Paused' | 'Stopping' | 'Idle'

export interface Explanation {
  readonly state: ServiceState
  /** One sentence. */
  readonly summary: string
  /** What matters most first. */
  readonly causes: readonly Cause[]
  readonly replicas: ReplicaCounts
}

export interface ReplicaCounts {
  readonly desired: number
  /** Of the newest revision. */
  readonly updated: number
  /** Of the newest revision, and able to serve. */
  readonly ready: number
  /** Of earlier revisions. */
  readonly old: number
  /** Of any revision, and able to serve. */
  readonly serving: number
}

/** What a look alone does not hold, where the caller has it. */
export interface ExplainContext {
  /** The end of what the failed container of a pod wrote, by the pod's name. */
  readonly logTails?: Readonly<Record<string, string>>
  /** Who has devices of nodes. */
  readonly holders?: readonly DeviceHolder[]
}

export interface DeviceHolder {
  readonly node: string
  /** `nvidia.com/gpu` */
  readonly resource: string
  /** `namespace/name` */
  readonly pod: string
  readonly count: number
}

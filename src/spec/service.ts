/**
 * A service with every default applied and every unit in its name: what the engine and the renderers work with.
 * `spec/resolve.ts` makes it from a `ModelService` document; nothing else does.
 */
export interface Service {
  readonly name: string
  readonly model: {
    /** Absolute path of the model's folder or single file. */
    readonly path: string
    /** `/v2/models/<name>`. */
    readonly name: string
    readonly format: ModelFormat
    /** `sha256:…` where the document or the lock states it. */
    readonly digest?: string
  }
  readonly runtime: {
    readonly kind: 'onnx'
    /** Threads of one session; 0: one, with one session for each core. */ readonly threads: number
  }
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly serving: {
    readonly timeoutMs: number
    readonly maxBodyBytes: number
    readonly maxQueuedRows: number
  }
  readonly resources: { readonly cpuMillis: number; readonly memoryBytes?: number }
  /** Fixed, or where an autoscaled service begins. */
  readonly replicas: number
  readonly autoscaling?: Autoscaling
  /** Who may ask. Absent: everybody who reaches the gateway. */
  readonly apiKeys?: readonly ApiKey[]
  readonly lifecycle: { readonly startupTimeoutMs: number; readonly drainTimeoutMs: number }
  /** True: a new revision waits until this is false again. */
  readonly paused: boolean
  readonly rollout: Rollout
}

/** How a new revision takes over. Shares are of 1. */
export interface Rollout {
  /** None: one replica after the other. */
  readonly steps: readonly RolloutStep[]
  readonly surge: 'Auto' | 'Surge' | 'Swap' | 'Recreate'
  /** Time at full weight before a canary counts as the stable revision. */
  readonly bakeMs: number
  readonly analysis: {
    /** Of the new revision, at each step. */
    readonly minRequests: number
    /** Without proof by then a person has to decide. */
    readonly maxTimeMs: number
    readonly errors: Tolerance
    /** Absent: no answer is too slow. */
    readonly latency?: Tolerance & { readonly slowerThanMs: number }
  }
  readonly onFailure: 'Rollback' | 'Pause'
  readonly onInconclusive: 'Rollback' | 'Pause'
  /** Absolute paths of photos, requests as JSON, or test files. */
  readonly smoke: readonly string[]
  readonly requires: readonly { readonly environment: string; readonly maxAgeMs: number | null }[]
  /** Earlier revisions that a rollback can go to. */
  readonly revisionHistoryLimit: number
  /** Of those, how many keep their replicas for a while after a canary. */
  readonly warmRevisions: number
}

export interface RolloutStep {
  /** Percent of the requests. */
  readonly weight: number
  readonly bakeMs: number
  /** Waits for a person, however long. */
  readonly manual: boolean
}

/** Acceptable is at most the larger of `ratio` times the stable revision's share and `floor`. */
export interface Tolerance {
  readonly ratio: number
  readonly floor: number
}

export interface ApiKey {
  readonly caller: string
  /** Of the key, in hexadecimal: the key itself is kept nowhere. */
  readonly sha256: string
}

export interface Autoscaling {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** For each replica; percentages of `resources`. */
  readonly targets: {
    readonly cpuPercent?: number
    readonly memoryPercent?: number
    readonly concurrency?: number
    readonly requestsPerSecond?: number
    readonly queuedRows?: number
  }
  readonly prometheus: readonly PrometheusTarget[]
  /** Absent: HPA v2's older rules. Present: its defaults where a rule leaves something out. */
  readonly behavior?: ScalingBehavior
  readonly burst?: { readonly threshold: number; readonly windowMs: number }
}

export interface PrometheusTarget {
  readonly name: string
  readonly query: string
  readonly perReplica: number
  /** Where Prometheus answers; always there on one machine. */
  readonly serverAddress?: string
}

/** `behavior` of HPA v2, with its own names. */
export interface ScalingBehavior {
  readonly scaleUp?: Partial<ScalingRules>
  readonly scaleDown?: Partial<ScalingRules>
}

export interface ScalingRules {
  readonly stabilizationWindowSeconds: number
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled'
  readonly policies: readonly ScalingPolicy[]
  /** Share of the target; absent: the autoscaler's own. */
  readonly tolerance?: number
}

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent'
  readonly value: number
  readonly periodSeconds: number
}

export type ModelFormat = 'onnx'

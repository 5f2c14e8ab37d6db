import type { ScalingCondition } from '../decide/autoscale/condition.ts'
import type { MetricProposal } from '../decide/autoscale/step.ts'
import type { LatencySummary } from '../observe/latency-window.ts'

/** What an engine says of itself and its services: `control/api.ts` gives these types to the outside. */

export interface EngineStatus {
  readonly pid: number
  readonly version: string
  readonly startedAtMs: number
  readonly leaseMs: number
  readonly gateway: GatewayStatus
  readonly services: readonly ServiceStatus[]
}

export interface GatewayStatus {
  readonly pid: number | null
  readonly phase: 'Starting' | 'Ready' | 'Restarting'
  readonly restarts: number
}

export type ServicePhase = 'Starting' | 'Ready' | 'Idle' | 'Updating' | 'Degraded' | 'Failed' | 'Stopping'

export interface ServiceStatus {
  readonly name: string
  readonly file: string
  readonly url: string
  readonly port: number
  readonly phase: ServicePhase
  /** One sentence a person can act on. */
  readonly summary: string
  readonly revision: number
  readonly replicas: { readonly desired: number; readonly ready: number }
  readonly model: {
    readonly name: string
    readonly format: string
    readonly path: string
    readonly sha256: string | null
    readonly sizeBytes: number | null
  }
  readonly traffic: {
    readonly requests: number
    readonly errors: number
    readonly inFlight: number
    /** Held, because no replica can be reached. */
    readonly waiting: number
    /** Of the last minute; null: nothing was answered in it. */
    readonly latency: LatencySummary | null
  }
  /** Null: the number of replicas is the spec's. */
  readonly scale: ScaleStatus | null
  readonly instances: readonly ReplicaStatus[]
  readonly lastFailure: FailureStatus | null
}

/** Conditions and their reasons are those of a HorizontalPodAutoscaler. */
export interface ScaleStatus {
  /** Null: set by hand. */
  readonly minReplicas: number | null
  readonly maxReplicas: number | null
  /** Why it has the size it has. */
  readonly reason: string
  readonly changedAtMs: number | null
  readonly metrics: readonly MetricProposal[]
  readonly conditions: readonly ScalingCondition[]
  /** In panic: it grows and does not shrink. */
  readonly burst: boolean
}

/** Counters and gauges of this moment: what `top` makes rates of. */
export interface LoadStatus {
  readonly atMs: number
  readonly services: readonly ServiceLoad[]
}

export interface ServiceLoad {
  readonly name: string
  readonly phase: ServicePhase
  readonly replicas: { readonly desired: number; readonly ready: number }
  readonly traffic: ServiceStatus['traffic']
  readonly instances: readonly ReplicaLoad[]
}

export interface ReplicaLoad {
  readonly name: string
  readonly phase: ReplicaPhase
  readonly inFlight: number
  readonly requests: number
  /** Since its process started; null: it has none. */
  readonly cpuMs: number | null
  readonly memoryBytes: number | null
}

export type ReplicaPhase = 'Starting' | 'Ready' | 'Unready' | 'Draining' | 'Waiting'

export interface ReplicaStatus {
  readonly name: string
  readonly revision: number
  readonly phase: ReplicaPhase
  readonly pid: number | null
  readonly port: number | null
  readonly metricsPort: number | null
  readonly startedAtMs: number | null
  readonly warmupMs: number | null
  readonly restarts: number
  /** Set while Waiting: when the next start is due. */
  readonly nextStartAtMs: number | null
  /** Why it was started again, or why it waits. */
  readonly lastFailure: FailureStatus | null
}

export interface FailureStatus {
  /** CamelCase word: Killed, OutOfMemory, Crashed, ModelUnloadable, StartupTimeout, LivenessFailed, … */
  readonly reason: string
  readonly message: string
  readonly hint: string | null
  readonly atMs: number
}

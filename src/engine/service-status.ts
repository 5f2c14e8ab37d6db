import type { ScalingCondition } from '../decide/autoscale/condition.ts'
import type { MetricProposal } from '../decide/autoscale/step.ts'
import type { Judgement } from '../decide/judge/judge.ts'
import type { RolloutPlan } from '../decide/rollout/plan.ts'
import type { Cause, Pause, Phase } from '../decide/rollout/state.ts'
import type { LatencySummary } from '../observe/latency-window.ts'
import type { EndedRollout } from './state/records.ts'

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
  /** Of the spec it was applied from; null: a cluster does not know. */
  readonly file: string | null
  /** Where it is asked; in a cluster from inside only. */
  readonly url: string
  readonly port: number
  readonly phase: ServicePhase
  /** One sentence a person can act on. */
  readonly summary: string
  /** The overlay it was applied with; null: none. */
  readonly environment: string | null
  /** The stable one. */
  readonly revision: number
  /** Of the stable revision; in a rolling change of both. */
  readonly replicas: { readonly desired: number; readonly ready: number }
  /** Of the stable revision. */
  readonly model: {
    readonly name: string
    readonly format: string
    /** As the spec says; what is served is a copy of it. */
    readonly path: string
    /** `sha256:…` over the names and contents of all its files. */
    readonly digest: string
    readonly sha256: string | null
    readonly sizeBytes: number | null
  }
  /** Null: nothing of ours stands before the replicas, as in a cluster. */
  readonly traffic: TrafficStatus | null
  /** Null: the number of replicas is the spec's. */
  readonly scale: ScaleStatus | null
  /** `spec.paused`: a new revision waits until this is false. */
  readonly paused: boolean
  /** The one that is going on. */
  readonly rollout: RolloutStatus | null
  /** What is not tried again before the spec changes. */
  readonly rejected: (Cause & { readonly revision: number; readonly atMs: number }) | null
  /** Those that are kept, oldest first. */
  readonly revisions: readonly RevisionStatus[]
  readonly instances: readonly ReplicaStatus[]
  readonly lastFailure: FailureStatus | null
}

export interface TrafficStatus {
  readonly requests: number
  readonly errors: number
  readonly inFlight: number
  /** Held, because no replica can be reached. */
  readonly waiting: number
  /** Of the last minute; null: nothing was answered in it. */
  readonly latency: LatencySummary | null
}

export interface RolloutStatus {
  readonly id: string
  readonly kind: RolloutPlan['kind']
  readonly from: number
  readonly to: number
  readonly phase: Phase
  readonly startedAtMs: number
  /** Weights of the steps, and which of them it is at, from 1; null before and after them. */
  readonly weights: readonly number[]
  readonly step: number | null
  readonly candidate: { readonly wanted: number; readonly ready: number; readonly weight: ObservedWeight | null }
  /** How far the present step is; null where none is watched. */
  readonly bake: {
    readonly doneMs: number
    readonly neededMs: number
    readonly requests: number
    readonly minRequests: number
  } | null
  readonly pause: Pause | null
  /** Null before anything was compared. */
  readonly analysis: Judgement | null
  /** Why it is being aborted. */
  readonly cause: Cause | null
  /** In a rolling change: replicas that were replaced. */
  readonly moved: number | null
}

/** Percent that the gateway was told, and what the requests since then show. */
export interface ObservedWeight {
  readonly written: number
  readonly requests: { readonly stable: number; readonly candidate: number }
}

export interface RevisionStatus {
  readonly number: number
  readonly role: 'Stable' | 'Candidate' | 'Warm' | 'Rejected' | 'Earlier'
  readonly modelDigest: string
  readonly createdAtMs: number
  /** It has served: a rollback can go to it. */
  readonly proven: boolean
  readonly replicas: number
  readonly latency: LatencySummary | null
}

/** What `history` shows. */
export interface HistoryStatus {
  readonly revisions: readonly RevisionStatus[]
  /** Oldest first. */
  readonly rollouts: readonly EndedRollout[]
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
  readonly traffic: TrafficStatus | null
  readonly instances: readonly ReplicaLoad[]
}

export interface ReplicaLoad {
  readonly name: string
  readonly phase: ReplicaPhase
  /** Null: not known at this moment. */
  readonly inFlight: number | null
  readonly requests: number | null
  /** Since its process started; null: it has none. */
  readonly cpuMs: number | null
  readonly memoryBytes: number | null
}

export type ReplicaPhase = 'Starting' | 'Ready' | 'Unready' | 'Draining' | 'Waiting'

export interface ReplicaStatus {
  readonly name: string
  readonly revision: number
  readonly phase: ReplicaPhase
  /** Of a cluster, once it has a place there. */
  readonly node?: string
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
  /** What it rests on, where that says more. */
  readonly evidence?: readonly string[]
}

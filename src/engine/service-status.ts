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

export type ServicePhase = 'Starting' | 'Ready' | 'Updating' | 'Degraded' | 'Failed' | 'Stopping'

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
  readonly traffic: { readonly requests: number; readonly errors: number; readonly inFlight: number }
  readonly instances: readonly ReplicaStatus[]
  readonly lastFailure: FailureStatus | null
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

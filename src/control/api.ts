/**
 * The control interface over an engine: HTTP with JSON over a unix socket. These types are also what `--json` prints and
 * what the page reads. Times are milliseconds since 1970 (`…AtMs`) or durations (`…Ms`).
 *
 * GET    /v1/status                    EngineStatus
 * PUT    /v1/services/{name}           ApplyRequest → ServiceStatus (202: accepted, replicas follow)
 * DELETE /v1/services/{name}           drains, answers {} when all of it is gone; the engine exits with its last service
 * GET    /v1/services/{name}/watch     NDJSON of ServiceStatus, one line at each change, the first at once
 * POST   /v1/services/{name}/attach    the same, and when this connection closes the service is taken down
 * Errors: {"error": {"code", "message", "hint"?}} with the HTTP status of the table.
 */
export interface ApplyRequest {
  /** The `ModelService` document with overlay applied; validated again by the engine. */
  readonly document: unknown
  /** Absolute path of the file it came from: relative paths inside are relative to its folder. */
  readonly file: string
  /** The port asked for; absent: the one it had, or the first free one from 8080. 0: any free one. */
  readonly port?: number
  /** Values for `env` references and overrides, from `--env-file`. */
  readonly env?: Readonly<Record<string, string>>
}

export interface EngineStatus {
  readonly pid: number
  readonly version: string
  readonly startedAtMs: number
  readonly leaseMs: number
  readonly gateway: { readonly pid: number | null; readonly phase: 'Starting' | 'Ready' | 'Restarting'; readonly restarts: number }
  readonly services: readonly ServiceStatus[]
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
  readonly model: { readonly name: string; readonly format: string; readonly path: string; readonly sha256: string | null; readonly sizeBytes: number | null }
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

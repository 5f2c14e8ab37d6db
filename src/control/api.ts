import type { ApiKey } from '../spec/service.ts'

/**
 * The control interface over an engine: HTTP with JSON over a unix socket. These types are also what `--json` prints and
 * what the page reads. Times are milliseconds since 1970 (`…AtMs`) or durations (`…Ms`).
 *
 * GET    /v1/status                    EngineStatus
 * PUT    /v1/services/{name}           ApplyRequest → ServiceStatus (202: accepted, replicas follow)
 * GET    /v1/load                      LoadStatus: counters of this moment, read from the gateway and the kernel
 * PUT    /v1/services/{name}/scale     ScaleRequest → ServiceStatus (202: accepted)
 * POST   /v1/services/{name}/plan      ApplyRequest → PlanStatus: what it would do; changes nothing
 * POST   /v1/services/{name}/order     ServiceOrder → OrderAnswer (202: accepted; `nothing` says why there was nothing to do)
 * GET    /v1/services/{name}/history   HistoryStatus
 * POST   /v1/gateway/restart           {} → EngineStatus (another process serves in its place; nothing is lost)
 * DELETE /v1/services/{name}           drains, answers {} when all of it is gone; the engine exits with its last service
 * GET    /v1/services/{name}/watch     NDJSON of ServiceStatus, one line at each change, the first at once
 * GET    /v1/services/{name}/events    ?count=N → EngineEvent[], the last N (50 where nothing is said), oldest first
 * POST   /v1/services/{name}/attach    ApplyRequest → applied and watched; when this connection closes the service is taken down
 * Errors: {"error": {"code", "message", "hint"?}} with the HTTP status of the table.
 */
export interface ApplyRequest {
  /** The `ModelService` document with overlay applied; validated again by the engine. */
  readonly document: unknown
  /** Absolute path of the file it came from: relative paths inside are relative to its folder. */
  readonly file: string
  /** Name of the overlay, from `--env`. */
  readonly environment?: string
  /** The port asked for; absent: the one it had, or the first free one from 8080. 0: any free one. */
  readonly port?: number
  /** Values for `env` references and overrides, from `--env-file`. */
  readonly env?: Readonly<Record<string, string>>
  /** From `--api-keys`. */
  readonly apiKeys?: readonly ApiKey[]
}

export interface ScaleRequest {
  /** 0 to 1000. */
  readonly replicas: number
}

export type { EngineEvent } from '../engine/state/events.ts'
export type { OrderAnswer } from '../engine/engine.ts'
export type { PlanStatus } from '../engine/rollout/plan-report.ts'
export type { ServiceOrder } from '../engine/rollout/orders.ts'
export type {
  EngineStatus,
  HistoryStatus,
  LoadStatus,
  RolloutStatus,
  ReplicaLoad,
  ServiceLoad,
  ServiceStatus,
  TrafficStatus,
} from '../engine/service-status.ts'

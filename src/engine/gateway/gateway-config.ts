import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import type { ApiKey } from '../../spec/service.ts'
import type { LatencySummary } from '../../observe/latency-window.ts'

/** All that the gateway is told at its start: a JSON file whose path is the only argument of `gateway-process`. */
export interface GatewayConfig {
  /** Unix socket of the gateway's own control routes (below). May be longer than the kernel's 107 bytes. */
  readonly controlSocket: string
  readonly logFile: string
  /** Rewritten atomically at each change of state. */
  readonly announceFile: string
  /** Written after each change of routes, read at start: a restarted gateway serves again without waiting for the engine. */
  readonly routesFile: string
  readonly lease: { readonly file: string; readonly leaseMs: number }
  readonly drainTimeoutMs: number
}

/**
 * For many short-lived objects beside a small heap. V8 guesses which objects will be old and makes them so at once; wrong
 * guesses here kept half of all garbage alive until a full collection, in two of three starts (ADR 6 has the figures).
 */
export const gatewayNodeFlags = [
  '--no-allocation-site-pretenuring',
  '--single-threaded-gc',
  '--max-semi-space-size=2', // MiB
] as const

export type GatewayAnnouncement = ProcessIdentity & { readonly state: 'Starting' | 'Serving' | 'Draining' }

/**
 * `POST /successor`: this gateway starts another process and gives it its listening sockets; once that one serves, the answer
 * is its `ProcessIdentity`, and this one drains and ends. When it fails nothing has changed.
 */
export interface Succession {
  /** The program, `gateway-process`, perhaps of a newer version. */
  readonly entry: string
  readonly configFile: string
  readonly stderrFile: string
}

/**
 * What the replicas of one revision did since `countedSince`. A request that was tried again counts for both; one whose
 * client left, or sent too much, counts for nobody.
 */
export interface RevisionCounts {
  readonly revision: number
  readonly requests: number
  /** Answers 5xx, answers that were cut off, and requests that the replica did not answer. */
  readonly errors: number
  /** Answers 4xx: mostly the client's fault, and as often in one revision as in another unless the model changed its inputs. */
  readonly refused: number
  /** From sending to this replica it took longer than `slowMs`, or the time for it ran out. */
  readonly slow: number
  readonly inFlight: number
  /** Of the last minute, from sending to this replica to the end of its answer; null when it answered nothing in it. */
  readonly latency: LatencySummary | null
}

/** Who is to meet a revision: this many of a hundred requests. */
export interface RevisionWeight {
  readonly revision: number
  readonly percent: number
}

/** `PUT /routes/{service}`: the whole truth about one service; what is left out is gone. 409 TL_PORT_TAKEN if it cannot listen. */
export interface GatewayRoute {
  readonly service: string
  readonly host: string
  /** 0 at the first call: any free port; the answer says which. */
  readonly port: number
  /** Time for the whole answer of a replica to begin, after the request was sent on. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** How long a request is held while no replica can be reached: for a service at zero replicas the time one needs to start. */
  readonly waitMs: number
  /** An answer that took longer counts as slow. */
  readonly slowMs: number
  /** Requests without one of these keys get 401, health checks excepted. */
  readonly apiKeys?: readonly ApiKey[] | undefined
  /**
   * Whole percents whose sum is 100. A revision without an active endpoint leaves its turns to the others; one with 0, or not
   * named, gets nothing, even when no other can be reached: requests are held then. Absent: revisions make no difference.
   */
  readonly weights?: readonly RevisionWeight[] | undefined
  readonly endpoints: readonly GatewayEndpoint[]
}

export interface GatewayEndpoint {
  /** Name of the replica. */
  readonly id: string
  readonly revision: number
  readonly host: string
  readonly port: number
}

/** Answer of `PUT /routes/{service}` and an element of `GET /routes`. `DELETE /routes/{service}` drains and closes the port. */
export interface GatewayRouteStatus {
  readonly service: string
  readonly host: string
  readonly port: number
  readonly inFlight: number
  /**
   * Names this counting, which begins at 0 with each gateway process, a successor too, and when a route is opened again. Only
   * counts under the same name may be subtracted.
   */
  readonly countedSince: string
  readonly requests: number
  /** Answers 5xx, also the gateway's own. */
  readonly errors: number
  /** Requests that are held because no replica can be reached. */
  readonly waiting: number
  /** Sum over all requests of the time they were in flight: its growth over time is the average in flight. */
  readonly inFlightMs: number
  /** Monotonic clock of the gateway, of this status: counters of two statuses are divided by their distance. */
  readonly measuredAtMs: number
  /** Of the last minute; null when nothing was answered in it. */
  readonly latency: LatencySummary | null
  readonly revisions: readonly RevisionCounts[]
  /** Endpoints removed from the route stay listed while they still owe answers. */
  readonly endpoints: readonly {
    readonly id: string
    readonly port: number
    readonly state: 'Active' | 'Ejected' | 'Draining'
    readonly inFlight: number
    readonly requests: number
    readonly failures: number
  }[]
}

import type { ErrorCode } from '../base/errors.ts'
import type { ProcessIdentity } from '../base/process/process-identity.ts'

/**
 * All that one replica is told: a JSON file whose path is the only argument of `replica-process`. An engine writes one for
 * each replica; a container image carries one, which its orchestrator may replace.
 */
export interface ReplicaConfig {
  readonly service: string
  /** Unique name of this replica, e.g. `image-classifier-3-bx7kq`. Absent: the name of its host, as in a container. */
  readonly replica?: string
  /** Its number, or in a cluster, where numbers come later, its hash. */
  readonly revision: number | string
  /** Absolute path of a folder with `model.onnx` and maybe `card.yaml`, or of a single `.onnx` file. */
  readonly modelPath: string
  readonly modelName: string
  /** Sessions, each on a thread of its own. */
  readonly workers: number
  /** Threads inside each session. */
  readonly threadsPerWorker: number
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly metricsPort: number
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  readonly maxQueuedRows: number
  readonly drainTimeoutMs: number
  /**
   * From the beginning of its end until kept connections without a request are closed; until then each gets one more answer.
   * Absent: at once, where whoever holds them has let go before.
   */
  readonly lingerMs?: number
  /** `-`: standard output. */
  readonly logFile: string
  /** Rewritten atomically at each change of state. Absent: nobody reads it, and nothing is written to disk at all. */
  readonly announceFile?: string
  /** Kept fresh by whoever supervises the replica; absent: nobody does, live on. */
  readonly lease?: { readonly file: string; readonly leaseMs: number }
}

/** What a replica says of itself in `announceFile`. */
export type ReplicaAnnouncement =
  | (ProcessIdentity & { readonly state: 'Starting' })
  | (ProcessIdentity & {
      readonly state: 'Serving'
      readonly port: number
      readonly metricsPort: number
      /** Median time of one warm-up run. */
      readonly warmupMs: number
      readonly model: { readonly sha256: string; readonly sizeBytes: number }
    })
  | (ProcessIdentity & {
      readonly state: 'Failed'
      readonly code: ErrorCode
      readonly message: string
      readonly hint?: string
    })

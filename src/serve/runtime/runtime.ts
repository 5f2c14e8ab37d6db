import type { ModelSignature, Tensor } from '../../oip/tensor.ts'

/** A loaded model: what `serve/http` needs to know of any runtime. */
export interface Runtime {
  readonly signature: Omit<ModelSignature, 'name'>
  /** Median of the warm-up runs. */
  readonly warmupMs: number
  readonly queuedRows: number
  /** False while a run lasts far longer than any caller waits: only a new process helps then. */
  isLive(): boolean
  /** Throws TL_OVERLOADED at once, TL_MODEL_TIMEOUT late, and what the model says of its input. Inputs' buffers move away. */
  run(job: RunRequest): Promise<RunResult>
  /** Resolves when every owed run is done and all sessions are released. */
  close(): Promise<void>
}

export interface RunRequest {
  readonly inputs: readonly Tensor[]
  /** All when undefined. */
  readonly outputs: readonly string[] | undefined
  readonly rows: number
  /** The caller left: a run that has not begun is dropped. */
  readonly signal?: AbortSignal
}

export interface RunResult {
  readonly outputs: readonly Tensor[]
  readonly queueMs: number
  readonly inferenceMs: number
  /** The inputs' buffers, back for the next body. */
  readonly buffers: readonly ArrayBuffer[]
}

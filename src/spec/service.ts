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
  readonly replicas: number
  readonly lifecycle: { readonly startupTimeoutMs: number; readonly drainTimeoutMs: number }
}

export type ModelFormat = 'onnx'

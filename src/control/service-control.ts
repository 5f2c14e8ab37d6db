import type { Payload } from '../bench/payload.ts'
import type { InferenceAnswer } from '../bench/inference-call.ts'
import type { EngineEvent, HistoryStatus, LoadStatus, OrderAnswer, ServiceOrder, ServiceStatus } from './api.ts'

/** Where services run: what messages call it. */
export type Place =
  | { readonly kind: 'Engine'; readonly projectDir: string }
  | { readonly kind: 'Cluster'; readonly context: string; readonly namespace: string; readonly server: string }

/**
 * What can be asked of a place where services run, the same for an engine on this machine and for a namespace of a cluster. What
 * one of them cannot do it refuses by name (TL_ROLLOUT_REFUSED).
 */
export interface ServiceControl {
  readonly place: Place
  /** All, or the one of this name: TL_SERVICE_UNKNOWN names those there are. */
  services(name?: string): Promise<readonly ServiceStatus[]>
  scale(name: string, replicas: number): Promise<ServiceStatus>
  /** TL_ROLLOUT_REFUSED where it cannot be done now. */
  order(name: string, order: ServiceOrder): Promise<OrderAnswer>
  history(name: string): Promise<HistoryStatus>
  /** Of all, or of the one of this name. */
  load(name?: string): Promise<LoadStatus>
  /** The last `count`, oldest first. */
  events(name: string, count: number): Promise<EngineEvent[]>
  /** Resolves when all of it is gone. */
  remove(name: string): Promise<void>
  /** The first at once, then at each change, until the service is gone. */
  watch(name: string, signal?: AbortSignal): AsyncGenerator<ServiceStatus>
  /** Asks the model of a service. Statuses of 400 and up are answers. */
  infer(name: string, payload: Payload, query: InferQuery): Promise<InferenceAnswer>
  close(): Promise<void>
}

export interface InferQuery {
  readonly topK?: number | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

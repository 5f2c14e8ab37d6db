import type { Histogram } from 'hdr-histogram-js'
import type { Clock } from '../base/clock.ts'
import type { LoadConnection } from './connection.ts'
import { LatencyRecord } from './latency.ts'

export interface ClosedReport {
  readonly answered: number
  /** Answers by HTTP status; broken connections count as 0. */
  readonly statuses: ReadonlyMap<number, number>
  readonly durationMs: number
  /** In microseconds. */
  readonly latency: Histogram
}

export interface ClosedLoad {
  readonly request: Uint8Array
  readonly durationMs: number
  readonly clock: Clock
}

/** Each connection sends its next request when its last one is answered: finds the most a server can do, not its latency. */
export async function runClosedLoop(
  connections: readonly LoadConnection[],
  { request, durationMs, clock }: ClosedLoad,
): Promise<ClosedReport> {
  const statuses = new Map<number, number>()
  const latency = new LatencyRecord()
  const startMs = clock.monotonicMs()
  await Promise.all(
    connections.map(async (connection) => {
      for (let sentMs = startMs; sentMs - startMs < durationMs; sentMs = clock.monotonicMs()) {
        const status = await connection.send(request).catch(() => 0)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status === 0) return
        latency.add(clock.monotonicMs() - sentMs)
        if (connection.closed) return
      }
    }),
  )
  const answered = [...statuses].reduce((sum, [status, count]) => sum + (status === 0 ? 0 : count), 0)
  return { answered, statuses, durationMs: clock.monotonicMs() - startMs, latency: latency.histogram }
}

import { type Histogram, build } from 'hdr-histogram-js'
import type { Clock } from '../base/clock.ts'
import type { LoadConnection } from './connection.ts'

export interface LoadReport {
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

export interface OpenLoad extends ClosedLoad {
  readonly ratePerSecond: number
  /** In [0, 1); for reproducible arrivals. */
  readonly random: () => number
}

/** Each connection sends its next request when its last one is answered: finds the most a server can do, not its latency. */
export async function runClosedLoop(
  connections: readonly LoadConnection[],
  { request, durationMs, clock }: ClosedLoad,
): Promise<LoadReport> {
  const record = createRecord()
  const startMs = clock.monotonicMs()
  await Promise.all(
    connections.map(async (connection) => {
      for (let sentMs = startMs; sentMs - startMs < durationMs; sentMs = clock.monotonicMs()) {
        const status = await connection.send(request).catch(() => 0)
        record.add(status, clock.monotonicMs() - sentMs)
        if (status === 0) return
      }
    }),
  )
  return record.finish(clock.monotonicMs() - startMs)
}

/**
 * Requests arrive as a Poisson process whether or not earlier ones were answered, and latency counts from the moment a
 * request was due: a server that stands still cannot hide it by slowing its own callers down.
 */
export async function runOpenLoop(connections: readonly LoadConnection[], load: OpenLoad): Promise<LoadReport> {
  const { request, durationMs, clock, ratePerSecond, random } = load
  const record = createRecord()
  const free = [...connections]
  const due: number[] = []
  const startMs = clock.monotonicMs()
  const owed = new Set<Promise<void>>()

  const sendDue = (): void => {
    while (due.length > 0 && free.length > 0) {
      const dueMs = due.shift() ?? 0
      const connection = free.pop()
      if (connection === undefined) return
      const answered = connection.send(request).then(
        (status) => {
          record.add(status, clock.monotonicMs() - dueMs)
          free.push(connection)
        },
        () => record.add(0, clock.monotonicMs() - dueMs),
      )
      const settled: Promise<void> = answered.then(() => {
        owed.delete(settled)
        sendDue()
      })
      owed.add(settled)
    }
  }

  for (let nextMs = startMs; ;) {
    nextMs -= (Math.log(1 - random()) * 1000) / ratePerSecond
    if (nextMs - startMs > durationMs) break
    const waitMs = nextMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs)
    due.push(nextMs)
    sendDue()
  }
  while (owed.size > 0) await Promise.race(owed)
  // Every connection broke: what was due is lost, and is counted.
  for (const dueMs of due) record.add(0, clock.monotonicMs() - dueMs)
  return record.finish(clock.monotonicMs() - startMs)
}

function createRecord() {
  const latency = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  })
  const statuses = new Map<number, number>()
  return {
    add(status: number, latencyMs: number) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      latency.recordValue(Math.max(1, Math.round(latencyMs * 1000)))
    },
    finish: (durationMs: number): LoadReport => ({
      answered: [...statuses].reduce((sum, [status, count]) => sum + (status === 0 ? 0 : count), 0),
      statuses,
      durationMs,
      latency,
    }),
  }
}

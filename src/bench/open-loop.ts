import type { Clock } from '../base/clock.ts'
import type { LoadConnection } from './connection.ts'
import { LatencyRecord } from './latency.ts'

export type Arrivals = 'poisson' | 'constant'

export interface OpenLoad {
  readonly request: Uint8Array
  readonly ratePerSecond: number
  readonly arrivals: Arrivals
  readonly durationMs: number
  /** From the moment a request was due. What has not been answered by then is given up. */
  readonly timeoutMs: number
  readonly maxConnections: number
  readonly connect: () => Promise<LoadConnection>
  readonly clock: Clock
  /** In [0, 1); for reproducible arrivals. */
  readonly random: () => number
  /** No further requests; those under way are waited for. */
  readonly signal?: AbortSignal
  readonly onProgress?: (soFar: { readonly due: number; readonly answered: number; readonly failed: number }) => void
}

export interface OpenReport {
  /** Requests that were due: each is answered or failed. */
  readonly due: number
  /** Answers by HTTP status. */
  readonly statuses: ReadonlyMap<number, number>
  /** Requests without a whole answer, by what went wrong. */
  readonly failures: ReadonlyMap<string, number>
  /** How long requests were due. */
  readonly durationMs: number
  /** From the moment a request was due; of answers, and of requests that were given up after their time. */
  readonly latency: LatencyRecord
  /** How much later than due a request was sent. Part of the latency. */
  readonly lateness: LatencyRecord
  /** Requests that found all connections busy when they were due. */
  readonly queued: number
}

/**
 * Requests arrive whether or not earlier ones were answered, and latency counts from the moment a request was due: a server
 * that stands still cannot hide it by slowing its own callers down.
 */
export async function runOpenLoop(load: OpenLoad): Promise<OpenReport> {
  const { durationMs, clock, signal } = load
  const run = new Run(load)
  const startMs = clock.monotonicMs()
  const stopped = (): boolean => signal?.aborted === true
  for (let afterMs = nextGapMs(load); afterMs <= durationMs; afterMs += nextGapMs(load)) {
    const waitMs = startMs + afterMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined) // It was stopped.
    if (stopped()) break
    // Timers may ring up to a millisecond early: what is sent before it is due must not look faster for it.
    run.add(Math.min(startMs + afterMs, clock.monotonicMs()))
  }
  const offeredMs = stopped() ? Math.min(durationMs, clock.monotonicMs() - startMs) : durationMs
  return { ...(await run.finish()), durationMs: offeredMs }
}

function nextGapMs({ arrivals, ratePerSecond, random }: OpenLoad): number {
  return ((arrivals === 'poisson' ? -Math.log(1 - random()) : 1) * 1000) / ratePerSecond
}

class Run {
  readonly #load: OpenLoad
  readonly #idle: LoadConnection[] = []
  /** When each request was due; those before `#next` were sent, or given up. */
  readonly #due: number[] = []
  #next = 0
  #ended: PromiseWithResolvers<void> | undefined
  readonly #statuses = new Map<number, number>()
  readonly #failures = new Map<string, number>()
  readonly #latency = new LatencyRecord()
  readonly #lateness = new LatencyRecord()
  #underWay = 0
  #failed = 0
  #queued = 0

  constructor(load: OpenLoad) {
    this.#load = load
  }

  add(dueMs: number): void {
    this.#due.push(dueMs)
    this.#sendDue()
    const due = this.#due.length
    if (this.#next < due) this.#queued++
    this.#load.onProgress?.({ due, answered: this.#next - this.#underWay - this.#failed, failed: this.#failed })
  }

  async finish(): Promise<Omit<OpenReport, 'durationMs'>> {
    this.#ended = Promise.withResolvers()
    if (this.#underWay === 0) this.#ended.resolve()
    await this.#ended.promise
    for (const connection of this.#idle) connection.close()
    return {
      due: this.#due.length,
      statuses: this.#statuses,
      failures: this.#failures,
      latency: this.#latency,
      lateness: this.#lateness,
      queued: this.#queued,
    }
  }

  #sendDue(): void {
    while (this.#next < this.#due.length && this.#underWay < this.#load.maxConnections) {
      this.#underWay++
      void this.#send(this.#due[this.#next++] ?? 0).then(() => {
        this.#underWay--
        this.#sendDue()
        if (this.#underWay === 0) this.#ended?.resolve()
      })
    }
  }

  async #send(dueMs: number): Promise<void> {
    const { clock, timeoutMs, connect, request } = this.#load
    const leftMs = dueMs + timeoutMs - clock.monotonicMs()
    if (leftMs <= 0) return this.#fail('no connection became free in time', dueMs)
    let connection: LoadConnection | undefined
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      connection?.close()
    }, leftMs)
    try {
      connection = this.#takeIdle() ?? (await connect())
      this.#lateness.add(clock.monotonicMs() - dueMs)
      const status = isLate ? 0 : await connection.send(request)
      if (isLate) return this.#fail('timed out', dueMs)
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
      this.#latency.add(clock.monotonicMs() - dueMs)
    } catch (error) {
      if (isLate) this.#fail('timed out', dueMs)
      else this.#fail(error instanceof Error ? error.message : String(error))
    } finally {
      clearTimeout(timer)
      if (connection !== undefined && !connection.closed) {
        if (isLate) connection.close()
        else this.#idle.push(connection)
      }
    }
  }

  /** The server may have closed some of them in the meantime. */
  #takeIdle(): LoadConnection | undefined {
    let connection = this.#idle.pop()
    while (connection?.closed === true) connection = this.#idle.pop()
    return connection
  }

  /** With `dueMs` it had all its time, which counts as its latency; without, it failed at once, which is no latency at all. */
  #fail(why: string, dueMs?: number): void {
    this.#failed++
    this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1)
    if (dueMs !== undefined) this.#latency.add(this.#load.clock.monotonicMs() - dueMs)
  }
}

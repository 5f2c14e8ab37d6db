import { type AnswerReader, type Exchange, UpstreamConnection, type UpstreamRequest } from './connection.ts'

export interface UpstreamPoolOptions {
  readonly host: string
  readonly port: number
  readonly maxIdle?: number
  /** Shorter than the server's own patience, so that this side lets go first. */
  readonly idleMs?: number
  readonly connectTimeoutMs?: number
  readonly maxHeadBytes?: number
}

export interface UpstreamPool {
  /** Connections kept for the next requests. */
  readonly idle: number
  /** Connections, idle or not. */
  readonly open: number
  /** `fresh`: over a new connection, whatever is kept. */
  send(request: UpstreamRequest, reader: AnswerReader, options?: { readonly fresh?: boolean }): Exchange
  /** Idle connections end now, the others with their answers. */
  close(): void
}

interface Idle {
  readonly connection: UpstreamConnection
  readonly untilMs: number
}

/** Connections to one server. Their number is bounded by that of the requests in flight, which the caller bounds. */
export function openUpstreamPool({
  host,
  port,
  maxIdle = 64,
  idleMs = 30_000,
  connectTimeoutMs = 2000,
  maxHeadBytes = 32_768,
}: UpstreamPoolOptions): UpstreamPool {
  /** The youngest last; it is taken first, so that a pool larger than needed shrinks. */
  const kept: Idle[] = []
  const connections = new Set<UpstreamConnection>()
  let closed = false
  let sweep: NodeJS.Timeout | undefined

  const keep = (connection: UpstreamConnection, keepAliveMs: number | undefined): void => {
    // One second for the way of the last bytes and for a busy moment on either side.
    const patienceMs = Math.min(idleMs, (keepAliveMs ?? Infinity) - 1000)
    if (closed || patienceMs <= 0 || kept.length >= maxIdle) return connection.destroy()
    kept.push({ connection, untilMs: performance.now() + patienceMs })
    sweep ??= setInterval(dropExpired, 1000).unref()
  }

  const forget = (connection: UpstreamConnection): void => {
    connections.delete(connection)
    const at = kept.findIndex((idle) => idle.connection === connection)
    if (at !== -1) kept.splice(at, 1)
  }

  const dropExpired = (): void => {
    const nowMs = performance.now()
    for (const { connection } of kept.filter((idle) => idle.untilMs <= nowMs)) {
      connection.destroy()
    }
    if (kept.length > 0) return
    clearInterval(sweep)
    sweep = undefined
  }

  const take = (): UpstreamConnection | undefined => {
    const idle = kept.pop()
    if (idle === undefined || idle.untilMs > performance.now()) return idle?.connection
    kept.push(idle)
    dropExpired()
    return kept.pop()?.connection
  }

  const open = (): UpstreamConnection => {
    const connection = new UpstreamConnection({
      host,
      port,
      connectTimeoutMs,
      maxHeadBytes,
      onIdle: keep,
      onClosed: forget,
    })
    connections.add(connection)
    return connection
  }

  return {
    get idle() {
      return kept.length
    },
    get open() {
      return connections.size
    },
    send: (request, reader, { fresh = false } = {}) => {
      const connection = (fresh ? undefined : take()) ?? open()
      return connection.send(request, reader)
    },
    close: () => {
      closed = true
      clearInterval(sweep)
      sweep = undefined
      for (const { connection } of kept.splice(0)) connection.destroy()
    },
  }
}

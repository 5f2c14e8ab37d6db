import { type Socket, createServer } from 'node:net'
import { type HttpServer, type ListenTarget, listen } from '../http-server.ts'
import { ClientConnection } from './client-connection.ts'
import type { ClientExchange } from './client-exchange.ts'

export interface ClientServerOptions {
  readonly listen: ListenTarget
  readonly handle: (exchange: ClientExchange) => void
  readonly maxConnections: number
  readonly headTimeoutMs?: number
  readonly bodyTimeoutMs?: number
}

const maxHeadBytes = 32_768
const longestSweepMs = 1000

/**
 * An HTTP/1.1 server for what is passed on: no objects for streams, no copies, one write for a small answer. Everything that
 * ends at this process itself goes through `openHttpServer`. Rejects as that one does.
 */
export async function openClientServer(options: ClientServerOptions): Promise<HttpServer> {
  const { handle, headTimeoutMs = 20_000, bodyTimeoutMs = 60_000 } = options
  const sweepMs = Math.min(longestSweepMs, headTimeoutMs, bodyTimeoutMs)
  const connections = new Set<ClientConnection>()
  let closing = false
  let sweptMs = performance.now()
  const nextSweepMs = (): number => sweptMs + sweepMs
  const around = { handle, maxHeadBytes, headTimeoutMs, bodyTimeoutMs, closing: () => closing, nextSweepMs }
  const server = createServer({ noDelay: true, allowHalfOpen: true })
  server.maxConnections = options.maxConnections
  server.on('connection', (socket: Socket) => {
    const connection = new ClientConnection(socket, around)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })
  await listen(server, options.listen)
  // What fails now is the accept of one connection, for want of file descriptors: that caller is lost, the others are served.
  server.on('error', () => undefined)
  const sweep = setInterval(() => {
    sweptMs = performance.now()
    for (const connection of connections) connection.sweep(sweptMs)
  }, sweepMs)
  sweep.unref()
  const address = server.address()
  return {
    port: typeof address === 'string' || address === null ? 0 : address.port,
    get inFlight() {
      return connections
        .values()
        .filter(({ busy }) => busy)
        .reduce((sum) => sum + 1, 0)
    },
    listener: server,
    close: async (drainMs, lingerMs = 0) => {
      closing = true
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      const linger = setTimeout(() => {
        for (const connection of connections) connection.closeIdle()
      }, lingerMs)
      const limit = setTimeout(() => {
        for (const { socket } of connections) socket.destroy()
      }, drainMs)
      await promise
      for (const timer of [linger, limit]) clearTimeout(timer)
      clearInterval(sweep)
    },
  }
}

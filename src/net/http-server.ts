import { rmSync } from 'node:fs'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { Server as NetServer, type Socket } from 'node:net'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { renderBrokenRequest, sendError } from './answer.ts'
import { openSocketPath } from './socket-path.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export type ListenTarget =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string }
  /** One that listens already, from another process. */
  | { readonly listener: NetServer }

export interface HttpServerOptions {
  readonly listen: ListenTarget
  readonly handle: Handler
  /** Time to receive one whole request, headers and body. */
  readonly requestTimeoutMs?: number
  readonly maxConnections?: number
}

export interface HttpServer {
  /** 0 for a unix socket. */
  readonly port: number
  /** Requests whose answers are still owed. */
  readonly inFlight: number
  /** What another process needs to accept connections in this one's place. */
  readonly listener: NetServer
  /**
   * Accepts no more, ends kept-alive connections with their answers, and waits until nothing is owed or `drainMs` is over.
   * Idle connections end after `lingerMs`: a request that is on its way over one of them is still answered until then.
   */
  close(drainMs: number, lingerMs?: number): Promise<void>
}

/** How long a client whose request was refused may take to read why before its connection is cut. */
const refusalLingerMs = 1000

/**
 * Rejects with TL_PORT_TAKEN when somebody else listens there, TL_ADDRESS_UNUSABLE when nobody can. A handler that throws is
 * answered for and never ends the process.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const owed = new Set<ServerResponse>()
  let closing = false
  const requestTimeout = options.requestTimeoutMs ?? 60_000
  const server = createServer({
    // Longer than the usual idle time of a client's pool or a proxy, so that they let go first and no request meets a closing door.
    keepAliveTimeout: 65_000,
    requestTimeout,
    headersTimeout: Math.min(20_000, requestTimeout),
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 32_768,
    noDelay: true,
  })
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
  server.on('request', (request, response) => {
    owed.add(response)
    response.once('close', () => owed.delete(response))
    if (closing) response.setHeader('connection', 'close')
    void answer(options.handle, request, response)
  })
  server.on('clientError', (error, socket) => refuseBrokenRequest(error, socket, owed))
  // No bytes yet: the HTTP layer does not count these as idle, and they would hold up `close` until its limit.
  const silent = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  const closeIdle = (): void => {
    server.closeIdleConnections()
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
  }
  await listen(server, options.listen)
  // What fails now is the accept of one connection, for want of file descriptors: that caller is lost, the others are served.
  server.on('error', () => undefined)
  const address = server.address()
  return {
    port: typeof address === 'string' || address === null ? 0 : address.port,
    get inFlight() {
      return owed.size
    },
    listener: server,
    close: async (drainMs, lingerMs = 0) => {
      closing = true
      const { promise, resolve } = Promise.withResolvers<void>()
      // The HTTP server's own `close` would end idle connections at once.
      NetServer.prototype.close.call(server, () => resolve())
      let sweep: NodeJS.Timeout | undefined
      const linger = setTimeout(() => {
        server.close()
        closeIdle()
        sweep = setInterval(closeIdle, 20)
      }, lingerMs)
      const limit = setTimeout(() => server.closeAllConnections(), drainMs)
      await promise
      for (const timer of [linger, sweep, limit]) clearTimeout(timer)
      // Ends its own timers too, where all connections were gone before the linger was over.
      server.close()
    },
  }
}

async function answer(handle: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await handle(request, response)
  } catch (error) {
    sendError(response, error)
  }
}

/** Rejects with TL_PORT_TAKEN when somebody else listens there, TL_ADDRESS_UNUSABLE when nobody can. */
export async function listen(server: NetServer, where: ListenTarget): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', resolve)
  const socket = 'socketPath' in where ? openSocketPath(where.socketPath) : undefined
  try {
    // A socket file left by a killed process would refuse the bind; callers hold a lock of their own before they come here.
    if ('socketPath' in where) rmSync(where.socketPath, { force: true })
    if ('listener' in where) server.listen(where.listener)
    else server.listen(socket === undefined ? where : { path: socket.path })
    await promise
  } catch (cause) {
    throw 'port' in where ? explainRefusedPort(where, cause) : cause
  } finally {
    socket?.close()
  }
}

function explainRefusedPort({ host, port }: { readonly host: string; readonly port: number }, cause: unknown): unknown {
  if (hasErrno(cause, 'EADDRINUSE'))
    return new TowlineError('TL_PORT_TAKEN', `another program listens on ${host}:${port}`, {
      cause,
      hint: 'stop it, or choose another port with --port',
    })
  if (hasErrno(cause, 'EACCES'))
    return new TowlineError('TL_ADDRESS_UNUSABLE', `${host}:${port} is not allowed to this user`, {
      cause,
      hint: 'ports below 1024 are often reserved: choose a higher one',
    })
  if (hasErrno(cause, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'))
    return new TowlineError('TL_ADDRESS_UNUSABLE', `${host} is no address of this machine`, {
      cause,
      hint: '127.0.0.1 serves this machine alone, 0.0.0.0 everybody',
    })
  return cause
}

/** What the parser could not read as HTTP: answered in our own form where the connection still takes an answer. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex, owed: ReadonlySet<ServerResponse>): void {
  // A response has a socket only while it is the one being written: after its head, a second one would become part of it.
  const midAnswer = [...owed].some((response) => response.socket === socket && response.headersSent)
  if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) return void socket.destroy()
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are over 32 KiB']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request did not arrive in time']
        : ['400 Bad Request', `this is not an HTTP/1.1 request (${error.code ?? error.message})`]
  socket.end(renderBrokenRequest(status, text))
  // Closing at once could reset the connection before the answer is read; without a limit it could be held for ever.
  const timer = setTimeout(() => socket.destroy(), refusalLingerMs)
  socket.once('close', () => clearTimeout(timer))
}

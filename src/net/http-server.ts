import { rmSync } from 'node:fs'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { sendError } from './answer.ts'
import { openSocketPath } from './socket-path.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export interface HttpServerOptions {
  readonly listen: { readonly host: string; readonly port: number } | { readonly socketPath: string }
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
  /** Accepts no more, ends kept-alive connections with their answers, and waits until nothing is owed or `drainMs` is over. */
  close(drainMs: number): Promise<void>
}

/** Rejects with TL_PORT_TAKEN when somebody else listens there. A handler that throws is answered for and never ends the process. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  let inFlight = 0
  let closing = false
  const server = createServer({
    // Longer than the usual idle time of a client's pool or a proxy, so that they let go first and no request meets a closing door.
    keepAliveTimeout: 65_000,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    headersTimeout: 20_000,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 32_768,
    noDelay: true,
  })
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
  server.on('request', (request, response) => {
    inFlight++
    response.once('close', () => inFlight--)
    if (closing) response.setHeader('connection', 'close')
    void answer(options.handle, request, response)
  })
  server.on('clientError', refuseBrokenRequest)
  await listen(server, options.listen)
  const address = server.address()
  return {
    port: typeof address === 'string' || address === null ? 0 : address.port,
    get inFlight() {
      return inFlight
    },
    close: async (drainMs) => {
      closing = true
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeIdleConnections()
      const sweep = setInterval(() => server.closeIdleConnections(), 20)
      const limit = setTimeout(() => server.closeAllConnections(), drainMs)
      await promise
      clearInterval(sweep)
      clearTimeout(limit)
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

async function listen(server: Server, where: HttpServerOptions['listen']): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', resolve)
  const socket = 'socketPath' in where ? openSocketPath(where.socketPath) : undefined
  try {
    // A socket file left by a killed process would refuse the bind; callers hold a lock of their own before they come here.
    if ('socketPath' in where) rmSync(where.socketPath, { force: true })
    server.listen(socket === undefined ? where : { path: socket.path })
    await promise
  } catch (cause) {
    if (hasErrno(cause, 'EADDRINUSE') && 'port' in where) {
      throw new TowlineError('TL_PORT_TAKEN', `another program listens on ${where.host}:${where.port}`, {
        cause,
        hint: 'stop it, or choose another port with --port',
      })
    }
    throw cause
  } finally {
    socket?.close()
  }
}

/** What the parser could not read as HTTP: answered in our own form where the connection still takes an answer. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: import('node:stream').Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are over 32 KiB']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request did not arrive in time']
        : ['400 Bad Request', `this is not an HTTP/1.1 request (${error.code ?? error.message})`]
  const body = JSON.stringify({ error: text })
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

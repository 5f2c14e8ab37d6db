/** A gateway route between real replicas and real clients, all in the test's own process. */
import { once } from 'node:events'
import {
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type Server,
  createServer,
  request as startRequest,
} from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import type { GatewayEndpoint, GatewayRoute } from '../../src/engine/gateway/gateway-config.ts'
import { type Route, openRoute } from '../../src/engine/gateway/route.ts'

const silent = pino({ level: 'silent' })

export interface Backend {
  readonly server: Server
  readonly endpoint: GatewayEndpoint
  readonly sockets: ReadonlySet<Socket>
  /** What kill -9 looks like from outside. */
  kill(): Promise<void>
}

export async function openBackend(t: TestContext, id: string, handle: RequestListener): Promise<Backend> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const kill = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await once(server, 'close')
  }
  t.after(kill)
  return {
    server,
    sockets,
    kill,
    endpoint: { id, revision: 1, host: '127.0.0.1', port: (server.address() as AddressInfo).port },
  }
}

/** Answers with this text once the whole request is there. */
export const answerWith =
  (text: string): RequestListener =>
  (request, response) =>
    void request.resume().once('end', () => response.end(text))

export async function openTestRoute(
  t: TestContext,
  endpoints: readonly GatewayEndpoint[],
  settings: Partial<GatewayRoute> = {},
): Promise<Route> {
  const route = await openRoute(
    {
      service: 'demo',
      host: '127.0.0.1',
      port: 0,
      timeoutMs: 5000,
      maxBodyBytes: 64 << 20,
      waitMs: 2000,
      slowMs: 1000,
      endpoints,
      ...settings,
    },
    { log: silent, budget: { freeBytes: 64 << 20 }, drainMs: 1000 },
  )
  t.after(async () => await route.close(0))
  return route
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export async function ask(route: Route, options: RequestOptions = {}, body?: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const target = { host: '127.0.0.1', port: route.settings.port, agent: false as const }
  const request = startRequest({ ...target, ...options }, (response) => {
    response.toArray().then((chunks: Buffer[]) => {
      const { statusCode = 0, headers, rawHeaders } = response
      resolve({ status: statusCode, headers, rawHeaders, body: Buffer.concat(chunks).toString() })
    }, reject)
  })
  request.on('error', reject).end(body)
  return await promise
}

/** Everything the gateway sends to these bytes until it closes the connection. */
export async function sayRaw(route: Route, bytes: string | Buffer): Promise<string> {
  const socket = connect(route.settings.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.end(bytes)
  return Buffer.concat((await socket.toArray().catch(() => [])) as Buffer[]).toString('latin1')
}

export const errorOf = ({ body }: Answer): string => (JSON.parse(body) as { error: string }).error

/** Lets the loop turn until `condition` holds; the test's own time limit is the only clock. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

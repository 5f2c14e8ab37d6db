import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import type { Resource } from '../../../src/kube/object.ts'
import { resources } from '../../../src/kube/resources.ts'
import type { Scope } from '../scope.ts'
import { type Access, createAccessRules, readAccess } from './http/access.ts'
import { parseAddress } from './http/address.ts'
import { type Answer, type Exchange, type Service, json, retryHeaders } from './http/exchange.ts'
import { type Faults, createFaults, strikeBefore } from './http/faults.ts'
import type { LogHandler, ProxyHandler } from './http/relays.ts'
import { type RequestRecord, recordRequest } from './http/requests.ts'
import { serve } from './http/serving.ts'
import { type Watches, createWatchDesk } from './http/watches.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { StatusFailure, renderStatus } from './objects/status-failure.ts'
import { createWorld } from './objects/world.ts'
import { type TestObjects, createTestObjects } from './test-objects.ts'

export interface FakeApiServerOptions {
  /** Besides `default` and `kube-system`. */
  readonly namespaces?: readonly string[]
  /** Besides the built-in ones. A CustomResourceDefinition that somebody creates serves its kind as well. */
  readonly kinds?: readonly Resource[]
  /** As messages of 403 name the person. Default: `tester`. */
  readonly user?: string
  /** Whoever comes without is answered 401. Default: everybody is welcome. */
  readonly token?: string
  readonly logs?: LogHandler
  readonly proxy?: ProxyHandler
  readonly clock?: Clock
}

/**
 * The API server of Kubernetes 1.35, as far as Towline needs it, in this process: on loopback, plain http, without controllers, kubelets and admission. The
 * cases of `conformance-cases.ts` hold it against the real one.
 */
export interface FakeApiServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Path of one with this server as its current context `fake`, namespace `default`. */
  readonly kubeconfig: string
  readonly objects: TestObjects
  /** In the order in which they came. */
  readonly requests: readonly RequestRecord[]
  readonly faults: Pick<Faults, 'add'>
  readonly watches: Watches
  /** Of the last write. */
  resourceVersion(): number
  /** Forgets all history: what goes on from an older version is answered 410. */
  compact(): void
  /** 403 for all that the rule is true of, until what it answers is called. */
  forbid(rule: (access: Access) => boolean): () => void
}

/** Starts one that ends with the test. */
export async function openFakeApiServer(
  scope: Pick<Scope, 'after'>,
  { namespaces = [], kinds = [], user = 'tester', token, logs, proxy, clock = systemClock }: FakeApiServerOptions = {},
): Promise<FakeApiServer> {
  const world = createWorld(clock)
  kinds.forEach((kind) => world.serve(kind))
  const objects = createTestObjects(world)
  for (const name of ['default', 'kube-system', ...namespaces]) {
    objects.put(resources.namespaces, { metadata: { name } })
  }
  const watches = createWatchDesk(world.store, clock)
  const access = createAccessRules(user)
  const nothing = (): undefined => undefined
  const service: Service = { world, watches, access, logs: logs ?? nothing, proxy: proxy ?? nothing }
  const desk: Desk = { service, faults: createFaults(), requests: [], token, closing: new AbortController() }
  const server = createServer((request, response) => void receive(desk, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(async () => {
    desk.closing.abort(new Error('the server closes'))
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    kubeconfig: writeKubeconfig(scope, url, token),
    objects,
    requests: desk.requests,
    faults: desk.faults,
    watches,
    resourceVersion: () => world.store.version(),
    compact: () => world.store.compact(),
    forbid: access.forbid,
  }
}

interface Desk {
  readonly service: Service
  readonly faults: Faults
  readonly requests: RequestRecord[]
  readonly token: string | undefined
  readonly closing: AbortController
}

async function receive(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { service, faults, requests, token, closing } = desk
  let record: RequestRecord | undefined
  let fault: ReturnType<Faults['strike']>
  let answer: Answer
  try {
    const exchange = await readExchange(request)
    const address = parseAddress(exchange.path, service.world)
    const access = readAccess(exchange, address)
    record = recordRequest(exchange, address, access)
    requests.push(record)
    fault = faults.strike(record)
    if (await strikeBefore(fault, response, service.world.clock, closing.signal)) return
    if (token !== undefined && exchange.headers['authorization'] !== `Bearer ${token}`) {
      throw new StatusFailure(401, 'Unauthorized', 'Unauthorized')
    }
    if (access !== undefined) service.access.check(access)
    answer = await serve(service, exchange, address)
  } catch (error) {
    // The sender is gone, or the server closes.
    if (response.destroyed || closing.signal.aborted) return void response.destroy()
    const failure = error instanceof StatusFailure ? error : describeBug(error)
    answer = json(failure.code, renderStatus(failure), retryHeaders(failure))
  }
  if (answer.kind === 'Stream') {
    if (record !== undefined) record.status = 200
    await answer.write(response)
    return
  }
  if (record !== undefined) record.status = answer.status
  send(response, answer, fault?.kind === 'Truncate')
}

/** A mistake of this server's: the test that meets it must see where it is. */
function describeBug(error: unknown): StatusFailure {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new StatusFailure(500, 'InternalError', `the fake API server has a bug: ${text}`)
}

async function readExchange(request: IncomingMessage): Promise<Exchange> {
  const url = new URL(request.url ?? '/', 'http://server')
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: await buffer(request),
  }
}

function send(response: ServerResponse, answer: Exclude<Answer, { kind: 'Stream' }>, isTruncated: boolean): void {
  const body = answer.kind === 'Json' ? Buffer.from(`${JSON.stringify(answer.body)}\n`) : Buffer.from(answer.body)
  const type = answer.kind === 'Json' ? { 'content-type': 'application/json' } : {}
  response.writeHead(answer.status, { ...type, 'content-length': String(body.length), ...answer.headers })
  if (!isTruncated) return void response.end(body)
  response.write(body.subarray(0, body.length >> 1), () => response.destroy())
}

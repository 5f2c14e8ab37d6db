import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Digest } from '../../../src/image/oci/descriptor.ts'
import { type Gate, createGate } from './auth.ts'
import { serveBlob, serveRedirected } from './blobs.ts'
import { type Answer, ConnectionCut, type Exchange, type Violation, recordViolation, refuse } from './exchange.ts'
import { giveManifest, takeManifest } from './manifests.ts'
import type { RegistryOptions } from './options.ts'
import { listReferrers } from './referrers.ts'
import { type RequestKind, type Route, parseRoute } from './route.ts'
import { answerFault, isCutAtOnce, sendAnswer } from './sending.ts'
import { type HeldManifest, addTo, createState, findBrokenTags, findManifest, holdBlob } from './state.ts'
import { serveUpload, startUpload } from './uploads.ts'

/** A registry in this process that enforces every rule of OCI distribution-spec 1.1 it knows, and remembers who broke one. */
export interface StrictRegistry {
  /** `127.0.0.1:PORT`, plain http. */
  readonly host: string
  readonly violations: readonly Violation[]
  readonly requests: ReadonlyMap<RequestKind, number>
  /** Body bytes of uploads by the digest they were for, repetitions and cut bodies included. */
  readonly received: ReadonlyMap<Digest, number>
  /** Of those, the bytes of uploads that began when their repository held the blob already. */
  readonly receivedAgain: ReadonlyMap<Digest, number>
  hasBlob(repository: string, digest: Digest): boolean
  /** By tag or digest. */
  manifest(repository: string, reference: string): HeldManifest | undefined
  tags(repository: string): readonly string[]
  /** Tags that lead to something missing, a line each. */
  findBrokenTags(): readonly string[]
  /** As if it had been pushed. */
  holdBlob(repository: string, bytes: Uint8Array): Digest
  /** As if it had been collected as garbage. */
  dropBlob(repository: string, digest: Digest): void
  close(): Promise<void>
}

/** Listens on loopback. Whoever starts it closes it. */
export async function startStrictRegistry(options: RegistryOptions = {}): Promise<StrictRegistry> {
  const state = createState()
  const gate = createGate(options.auth, options.clock)
  const store = await listen((request, response) => void serve({ request, response, state, options }, serveRedirected))
  // Another host name for the same machine: to a client it is another host.
  const redirectTo = options.redirects === true ? `http://localhost:${portOf(store)}` : undefined
  const server = await listen(
    (request, response) =>
      void serve({ request, response, state, options }, (exchange, route) =>
        decide(exchange, route, { gate, redirectTo }),
      ),
  )
  return {
    host: `127.0.0.1:${portOf(server)}`,
    violations: state.violations,
    requests: state.requests,
    received: state.received,
    receivedAgain: state.receivedAgain,
    hasBlob: (repository, digest) => state.repositories.get(repository)?.blobs.has(digest) ?? false,
    manifest: (repository, reference) => findManifest(state, repository, reference),
    tags: (repository) => [...(state.repositories.get(repository)?.tags.keys() ?? [])],
    findBrokenTags: () => findBrokenTags(state),
    holdBlob: (repository, bytes) => holdBlob(state, repository, bytes),
    dropBlob: (repository, digest) => void state.repositories.get(repository)?.blobs.delete(digest),
    close: async () => {
      await Promise.all([close(server), close(store)])
    },
  }
}

type Handler = (exchange: Exchange, route: Route) => Answer | Promise<Answer>

interface Incoming extends Pick<Exchange, 'request' | 'state' | 'options'> {
  readonly response: ServerResponse
}

async function serve({ request, response, state, options }: Incoming, handle: Handler): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry')
  const route = parseRoute(request.method ?? '', url.pathname)
  const kind = handle === serveRedirected ? 'Redirected' : route.kind
  addTo(state.requests, kind, 1)
  const length = request.headers['content-length']
  const contentLength = length === undefined ? undefined : Number(length)
  const fault = options.faults?.({ kind, number: state.requests.get(kind) ?? 0, bodyBytes: contentLength ?? 0 })
  const exchange: Exchange = { request, url, state, options, fault, contentLength }
  try {
    if (isCutAtOnce(exchange)) throw new ConnectionCut('by plan')
    const answer = fault?.kind === 'Status' ? await answerFault(exchange, fault) : await handle(exchange, route)
    sendAnswer(exchange, response, answer)
  } catch (error) {
    if (!(error instanceof ConnectionCut)) recordViolation(exchange, 'RegistryBroken', String(error))
    response.destroy()
  }
}

interface Place {
  readonly gate: Gate
  readonly redirectTo: string | undefined
}

async function decide(exchange: Exchange, route: Route, { gate, redirectTo }: Place): Promise<Answer> {
  if (route.kind === 'Unknown') return refuse(exchange, 'Endpoint', route.code, route.why)
  const refused = gate.check(exchange, route)
  if (refused !== undefined) return refused
  switch (route.kind) {
    case 'Ping':
      return { status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' } }
    case 'Token':
      return await gate.giveToken(exchange)
    case 'BlobHead':
    case 'BlobGet':
      return serveBlob(exchange, { ...route, redirectTo })
    case 'UploadPost':
      return startUpload(exchange, route.repository)
    case 'UploadGet':
    case 'UploadPatch':
    case 'UploadPut':
    case 'UploadDelete':
      return await serveUpload(exchange, route)
    case 'ManifestHead':
    case 'ManifestGet':
      return giveManifest(exchange, route.repository, route.reference)
    case 'ManifestPut':
      return await takeManifest(exchange, route.repository, route.reference)
    case 'Referrers':
      return listReferrers(exchange, route.repository, route.digest)
  }
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

import type { ServerResponse } from 'node:http'
import { resources } from '../../../../src/kube/resources.ts'
import { StatusFailure, badRequest, notFound } from '../objects/status-failure.ts'
import { objectAt } from '../objects/stored-object.ts'
import type { ObjectAddress } from './address.ts'
import { type Answer, type Exchange, type Service, text } from './exchange.ts'

/** What a container wrote; undefined: nothing. An iterable is sent piece by piece, for as long as it lasts. */
export type LogHandler = (pod: {
  readonly namespace: string
  readonly name: string
  readonly container: string
  readonly query: URLSearchParams
}) => string | undefined | AsyncIterable<string>

export interface ProxiedRequest {
  readonly kind: 'services' | 'pods'
  readonly namespace: string
  readonly name: string
  /** Number or name; empty where the address has none. */
  readonly port: string
  readonly method: string
  /** Behind the proxy, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface ProxiedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Undefined: nothing is there to answer. */
export type ProxyHandler = (request: ProxiedRequest) => ProxiedAnswer | undefined | Promise<ProxiedAnswer | undefined>

/** The log of a pod. */
export function serveLog({ world, logs }: Service, { query }: Exchange, address: ObjectAddress): Answer {
  const { resource, namespace = '', name } = address
  const pod = world.store.get(resource, namespace, name)
  if (pod === undefined) throw notFound(resource, name)
  const containers = (objectAt(pod, 'spec')['containers'] ?? []) as readonly { readonly name: string }[]
  const container = query.get('container') ?? (containers.length === 1 ? containers[0]?.name : undefined)
  const names = containers.map((one) => one.name).join(' ')
  if (container === undefined) {
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names}]`)
  }
  if (!containers.some((one) => one.name === container)) {
    throw badRequest(`container ${container} is not valid for pod ${name}`)
  }
  const log = logs({ namespace, name, container, query }) ?? ''
  if (typeof log === 'string') return text(200, log)
  return { kind: 'Stream', write: async (response) => await sendPieces(log, response) }
}

async function sendPieces(pieces: AsyncIterable<string>, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  for await (const piece of pieces) {
    if (response.destroyed) return
    response.write(piece)
  }
  response.end()
}

/** A request to a Service or a pod through the API server. */
export async function serveProxy(service: Service, exchange: Exchange, address: ObjectAddress): Promise<Answer> {
  const { method, query, headers, body } = exchange
  const { resource, namespace = '', rest } = address
  // `https:NAME:PORT`, `NAME:PORT`, `NAME`
  const [name = '', port = ''] = address.name.replace(/^https?:/, '').split(':')
  if (service.world.store.get(resource, namespace, name) === undefined) throw notFound(resource, name)
  const kind = resource.plural === resources.pods.plural ? 'pods' : 'services'
  const search = query.size === 0 ? '' : `?${query.toString()}`
  const path = `${rest === '' ? '/' : rest}${search}`
  const answer = await service.proxy({ kind, namespace, name, port, method, path, headers, body })
  if (answer !== undefined) {
    const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0))
    return { kind: 'Bytes', status: answer.status, body: bytes, headers: answer.headers ?? {} }
  }
  const message =
    kind === 'services'
      ? `no endpoints available for service "${name}"`
      : `error trying to reach service: dial tcp: connection refused`
  throw new StatusFailure(503, 'ServiceUnavailable', message)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, request } from 'undici'
import type { Resource } from '../../../../src/kube/object.ts'
import { newShortId } from '../../../../src/base/id.ts'
import { type JsonObject, isObject } from '../objects/stored-object.ts'
import { type WatchProbe, openWatch } from './watch-probe.ts'

/** A server that the cases are run against. */
export interface ApiUnderTest {
  readonly url: string
  /** Of whoever may everything. */
  readonly dispatcher: Dispatcher
  /** How long others may take to write after somebody: controllers. 0: there are none. */
  readonly settleMs: number
  /** Runs requests as a person who may nothing; the headers are to be sent with them. */
  asStranger(run: (headers: Record<string, string>) => Promise<void>): Promise<void>
  /** Forgets all versions before now. Absent: it cannot be made to. */
  compact?(): Promise<void>
}

export interface Reply {
  readonly status: number
  readonly body: JsonObject
  readonly headers: Readonly<Record<string, unknown>>
}

export interface CallMore {
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Default: JSON. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Plain requests in a namespace of the case's own. */
export interface Probe {
  readonly namespace: string
  readonly api: ApiUnderTest
  /** Of a collection, of an object in it, of a subresource of that. */
  path(resource: Resource, name?: string, subresource?: string): string
  call(method: string, path: string, more?: CallMore): Promise<Reply>
  create(resource: Resource, body: unknown, query?: CallMore['query']): Promise<Reply>
  get(resource: Resource, name: string): Promise<Reply>
  list(resource: Resource, query?: CallMore['query']): Promise<Reply>
  apply(resource: Resource, body: JsonObject, manager: string, query?: CallMore['query']): Promise<Reply>
  merge(
    resource: Resource,
    name: string,
    patch: unknown,
    more?: { query?: CallMore['query']; subresource?: string },
  ): Promise<Reply>
  remove(resource: Resource, name: string, more?: CallMore): Promise<Reply>
  watch(resource: Resource, query?: CallMore['query']): Promise<WatchProbe>
  /** Reads it again until it holds; an error with the last reply after ten seconds. */
  until(read: () => Promise<Reply>, holds: (reply: Reply) => boolean): Promise<Reply>
  /** Waits until nobody else writes it any more, and reads it. */
  settle(resource: Resource, name: string): Promise<Reply>
}

export const mergeType = 'application/merge-patch+json'
export const applyType = 'application/apply-patch+yaml'
const patienceMs = 10_000
const pollMs = 50

/** Opens a namespace for one case. */
export async function openProbe(api: ApiUnderTest): Promise<Probe> {
  const namespace = `case-${newShortId(8)}`
  const call: Probe['call'] = async (
    method,
    path,
    { query = {}, body, type = 'application/json', headers = {} } = {},
  ) => {
    const search = new URLSearchParams(query).toString()
    const answer = await request(`${api.url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      dispatcher: api.dispatcher,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, body: parse(text), headers: answer.headers }
  }
  const path: Probe['path'] = ({ group, version, plural, namespaced }, name, subresource) => {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const steps = [...(namespaced ? ['namespaces', namespace] : []), plural, name, subresource]
    return [root, ...steps.filter((step) => step !== undefined)].join('/')
  }
  const get: Probe['get'] = (resource, name) => call('GET', path(resource, name))
  const until: Probe['until'] = async (read, holds) => {
    const endMs = performance.now() + patienceMs
    for (;;) {
      const reply = await read()
      if (holds(reply)) return reply
      if (performance.now() > endMs) throw new Error(`it never came to pass; last: ${JSON.stringify(reply.body)}`)
      await sleep(pollMs)
    }
  }
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } })
  if (api.settleMs > 0) {
    // No pod is taken before a controller has made it.
    await until(
      () => call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`),
      ({ status }) => status === 200,
    )
  }
  return {
    namespace,
    api,
    path,
    call,
    get,
    until,
    create: (resource, body, query = {}) => call('POST', path(resource), { body, query }),
    list: (resource, query = {}) => call('GET', path(resource), { query }),
    apply: (resource, body, manager, query = {}) =>
      call('PATCH', path(resource, String(valueAt(body, 'metadata.name'))), {
        body,
        type: applyType,
        query: { fieldManager: manager, ...query },
      }),
    merge: (resource, name, patch, { query = {}, subresource } = {}) =>
      call('PATCH', path(resource, name, subresource), { body: patch, type: mergeType, query }),
    remove: (resource, name, more = {}) => call('DELETE', path(resource, name), more),
    watch: (resource, query = {}) => openWatch(api, path(resource), query),
    async settle(resource, name) {
      let last = await get(resource, name)
      if (api.settleMs === 0) return last
      return until(
        async () => {
          await sleep(api.settleMs)
          return get(resource, name)
        },
        (reply) => {
          const isQuiet =
            valueAt(reply.body, 'metadata.resourceVersion') === valueAt(last.body, 'metadata.resourceVersion')
          last = reply
          return isQuiet
        },
      )
    },
  }
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : { text }
  } catch {
    return { text }
  }
}

/** `metadata.labels`, `items.0.metadata.name` */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, step) => (typeof at === 'object' && at !== null ? (at as JsonObject)[step] : undefined),
      value,
    )
}

/** The version of the object, or of the list. */
export function versionOf({ body }: Reply): string {
  return String(valueAt(body, 'metadata.resourceVersion'))
}

export function namesOf({ body }: Reply): readonly unknown[] {
  const items = body['items']
  return Array.isArray(items) ? items.map((item) => valueAt(item, 'metadata.name')) : []
}

import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../../src/base/clock.ts'
import type { Kind } from '../objects/kind.ts'
import type { Matches } from '../objects/selectors.ts'
import { StatusFailure, expired, renderStatus } from '../objects/status-failure.ts'
import type { Change, Store } from '../objects/store.ts'
import type { JsonObject, StoredObject } from '../objects/stored-object.ts'
import type { Answer } from './exchange.ts'
import { parseSelectors, parseVersion } from './listing.ts'

/** The watches that are open, and what a test does to them. `plural` undefined: to all. */
export interface Watches {
  count(plural?: string): number
  /** Their connections are gone, in the middle of whatever they say. */
  cut(plural?: string): void
  /** They end as after their time. */
  end(plural?: string): void
  /** They end with an ERROR that says 410: what they watch is forgotten. */
  expire(plural?: string): void
  /** They end with an ERROR that says 500. */
  fail(plural?: string): void
  /** They stay open and say nothing any more; what happens is lost to them. */
  silence(plural?: string): void
  sendBookmarks(plural?: string): void
  /** Any bytes, into the stream. */
  write(text: string | Uint8Array, plural?: string): void
}

interface Watch {
  readonly kind: Kind
  readonly response: ServerResponse
  send(event: JsonObject): void
  bookmark(): void
  silence(): void
  end(): void
}

export interface WatchDesk extends Watches {
  /** The answer to one that asks for it: a stream that lasts until it ends. Throws a StatusFailure of 400. */
  prepare(kind: Kind, namespace: string | undefined, query: URLSearchParams): Answer
}

export function createWatchDesk(store: Store, clock: Clock): WatchDesk {
  const open = new Set<Watch>()
  const select = (plural?: string): readonly Watch[] =>
    [...open].filter(({ kind }) => plural === undefined || kind.plural === plural)
  const endWith = (plural: string | undefined, failure: StatusFailure): void => {
    for (const watch of select(plural)) {
      watch.send({ type: 'ERROR', object: renderStatus(failure) })
      watch.end()
    }
  }
  return {
    prepare(kind, namespace, query) {
      const matches = parseSelectors(query, kind)
      const from = parseVersion(query)
      const write = (response: ServerResponse): void => {
        const watch = startWatch({ store, clock, kind, namespace, query, matches, from, response })
        open.add(watch)
        response.once('close', () => {
          open.delete(watch)
          watch.silence()
        })
      }
      return { kind: 'Stream', write }
    },
    count: (plural) => select(plural).length,
    cut: (plural) => select(plural).forEach(({ response }) => response.destroy()),
    end: (plural) => select(plural).forEach((watch) => watch.end()),
    expire: (plural) => endWith(plural, expired('too old resource version')),
    fail: (plural) =>
      endWith(plural, new StatusFailure(500, 'InternalError', 'Internal error occurred: the watch failed')),
    silence: (plural) => select(plural).forEach((watch) => watch.silence()),
    sendBookmarks: (plural) => select(plural).forEach((watch) => watch.bookmark()),
    write: (text, plural) => select(plural).forEach(({ response }) => response.write(text)),
  }
}

interface Start {
  readonly store: Store
  readonly clock: Clock
  readonly kind: Kind
  readonly namespace: string | undefined
  readonly query: URLSearchParams
  readonly matches: Matches
  readonly from: number | undefined
  readonly response: ServerResponse
}

function startWatch({ store, clock, kind, namespace, query, matches, from, response }: Start): Watch {
  const wantsBookmarks = isTrue(query, 'allowWatchBookmarks')
  // Whoever names no version gets all that is there first.
  const wantsState = from === undefined || from === 0 || isTrue(query, 'sendInitialEvents')
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const ended = new AbortController()
  const send = (event: JsonObject): void => void response.write(`${JSON.stringify(event)}\n`)
  const end = (): void => {
    unsubscribe()
    ended.abort()
    response.end()
  }
  const sendChange = (change: Change): void => {
    const event = showChange(change, kind, namespace, matches)
    if (event !== undefined) send(event)
  }
  const bookmark = (annotations?: JsonObject): void => {
    if (!wantsBookmarks) return
    const metadata = { resourceVersion: String(store.version()), ...(annotations === undefined ? {} : { annotations }) }
    send({ type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: kind.apiVersion, metadata } })
  }
  const unsubscribe = store.subscribe(sendChange)
  const silence = (): void => {
    unsubscribe()
    ended.abort()
  }
  const watch: Watch = { kind, response, send, bookmark: () => bookmark(), silence, end }
  if (wantsState) {
    for (const object of store.list(kind, namespace).filter(matches)) send({ type: 'ADDED', object })
    bookmark({ 'k8s.io/initial-events-end': 'true' })
  } else if (from < Math.max(store.compactedTo(), kind.since)) {
    const oldest = Math.max(store.compactedTo(), kind.since)
    send({ type: 'ERROR', object: renderStatus(expired(`too old resource version: ${from} (${oldest})`)) })
    end()
    return watch
  } else {
    store.changesSince(from).forEach(sendChange)
  }
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? 0)
  if (timeoutSeconds > 0) {
    clock.sleep(timeoutSeconds * 1000, ended.signal).then(
      () => {
        bookmark()
        end()
      },
      () => {},
    )
  }
  return watch
}

/** An object that begins or ceases to match comes or goes, to whoever looks through a selector. */
function showChange(
  { kind, type, object, previous, version }: Change,
  watched: Kind,
  namespace: string | undefined,
  matches: Matches,
): JsonObject | undefined {
  if (kind.group !== watched.group || kind.plural !== watched.plural) return undefined
  if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined
  const before = previous !== undefined && matches(previous)
  const after = type !== 'DELETED' && matches(object)
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object }
  if (!before) return undefined
  return { type: 'DELETED', object: withVersion(type === 'DELETED' ? object : previous, version) }
}

function withVersion(object: StoredObject, version: number): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return ['1', 'true'].includes(query.get(name) ?? '')
}

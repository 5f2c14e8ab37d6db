import type { ServerResponse } from 'node:http'
import type { StatusFailure } from '../objects/status-failure.ts'
import type { JsonObject } from '../objects/stored-object.ts'
import type { World } from '../objects/world.ts'
import type { AccessRules } from './access.ts'
import type { LogHandler, ProxyHandler } from './relays.ts'
import type { WatchDesk } from './watches.ts'

/** What every request is served with. */
export interface Service {
  readonly world: World
  readonly watches: WatchDesk
  readonly access: AccessRules
  readonly logs: LogHandler
  readonly proxy: ProxyHandler
}

/** One request. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type Answer =
  | { readonly kind: 'Json'; readonly status: number; readonly body: JsonObject; readonly headers?: Headers }
  | { readonly kind: 'Bytes'; readonly status: number; readonly body: Uint8Array; readonly headers?: Headers }
  /** Writes for as long as it likes. */
  | { readonly kind: 'Stream'; readonly write: (response: ServerResponse) => void | Promise<void> }

type Headers = Readonly<Record<string, string>>

export const json = (status: number, body: JsonObject, headers: Headers = {}): Answer => ({
  kind: 'Json',
  status,
  body,
  headers,
})

export const text = (status: number, body: string): Answer => ({
  kind: 'Bytes',
  status,
  body: Buffer.from(body),
  headers: { 'content-type': 'text/plain' },
})

/** Seconds to wait, as the header says them. */
export function retryHeaders({ more: { retryAfterSeconds } }: StatusFailure): Headers {
  return retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
}

export function isDryRun({ query }: Exchange): boolean {
  return query.get('dryRun') === 'All'
}

import { createInterface } from 'node:readline'
import { request } from 'undici'
import type { JsonObject } from '../objects/stored-object.ts'
import type { ApiUnderTest } from './probe.ts'

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

export interface WatchProbe {
  /** The next event; undefined: the server ended it. An error after ten seconds. */
  next(): Promise<WatchEvent | undefined>
  /** All until it ends. */
  rest(): Promise<readonly WatchEvent[]>
  close(): void
}

const patienceMs = 10_000

/** Watches a collection. */
export async function openWatch(
  { url, dispatcher }: ApiUnderTest,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<WatchProbe> {
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(patienceMs)])
  const search = new URLSearchParams({ watch: '1', timeoutSeconds: '8', ...query }).toString()
  const { body } = await request(`${url}${path}?${search}`, { dispatcher, signal })
  const lines = createInterface({ input: body })[Symbol.asyncIterator]()
  const next: WatchProbe['next'] = async () => {
    const { value, done } = await lines.next()
    return done === true ? undefined : (JSON.parse(value) as WatchEvent)
  }
  return {
    next,
    async rest() {
      const events: WatchEvent[] = []
      for (let event = await next(); event !== undefined; event = await next()) events.push(event)
      return events
    },
    close: () => ended.abort(),
  }
}

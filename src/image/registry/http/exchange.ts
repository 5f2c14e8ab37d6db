import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { TowlineError } from '../../../base/errors.ts'
import { isLoopbackHost } from './host-kind.ts'

/** A body that can be made again for another try. */
export type RequestBody =
  | { readonly bytes: Uint8Array }
  | { readonly open: () => AsyncIterable<Uint8Array>; readonly sizeBytes: number }

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  /** How much of an answer's body is kept; a longer one with a good status is a failure, of a bad one the rest is dropped. */
  readonly maxAnswerBytes?: number
  /** The body of a good answer comes as `stream`, which the caller reads to the end or leaves. */
  readonly streamed?: boolean
  /** Until the answer begins, counted from the last byte sent. */
  readonly answerTimeoutMs?: number
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Empty where the body comes as a stream. */
  readonly body: Uint8Array
  readonly stream?: AsyncIterable<Uint8Array>
}

/** The connection failed before the whole answer was there. `code` as of Node or undici. */
export class ConnectionFailure extends Error {
  readonly code: string

  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'ConnectionFailure'
    this.code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  }
}

export interface Exchange {
  /** One request, one answer: no redirect, no second try. `ConnectionFailure`; the signal's reason; what the body threw. */
  send(request: HttpRequest): Promise<Answer>
  close(): Promise<void>
}

export interface ExchangeOptions {
  /** HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in either case. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly connectTimeoutMs?: number
  readonly answerTimeoutMs?: number
  /** Between two parts of an answer's body. */
  readonly idleTimeoutMs?: number
}

const defaultMaxAnswerBytes = 64 << 10

/** Connections are made when they are first needed, through a proxy where the environment names one. */
export function openExchange(options: ExchangeOptions): Exchange {
  let opened: Promise<Dispatchers> | undefined
  return {
    send: async (request) => {
      opened ??= openDispatchers(options)
      const { direct, proxied } = await opened
      return await exchangeOnce(isLoopbackHost(request.url.hostname) ? direct : proxied, request)
    },
    close: async () => {
      const dispatchers = await opened
      await Promise.all([dispatchers?.direct.destroy(), dispatchers?.proxied.destroy()])
    },
  }
}

interface Dispatchers {
  /** For this machine: a proxy would lead elsewhere. */
  readonly direct: Dispatcher
  readonly proxied: Dispatcher
}

async function openDispatchers({ env, ...limits }: ExchangeOptions): Promise<Dispatchers> {
  // Reading it takes about 90 ms, which commands without a registry need not pay.
  const { Agent, EnvHttpProxyAgent } = await import('undici')
  const options = {
    connectTimeout: limits.connectTimeoutMs ?? 10_000,
    headersTimeout: limits.answerTimeoutMs ?? 60_000,
    bodyTimeout: limits.idleTimeoutMs ?? 60_000,
    // A cut upload is understood by its one connection.
    allowH2: false,
  }
  return {
    direct: new Agent(options),
    proxied: new EnvHttpProxyAgent({
      ...options,
      // Empty where there is none: undefined would make undici look into the environment of the process.
      httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'] ?? '',
      httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '',
      noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
    }),
  }
}

async function exchangeOnce(dispatcher: Dispatcher, request: HttpRequest): Promise<Answer> {
  const { method, url, signal } = request
  signal?.throwIfAborted()
  const body = watchBody(request.body)
  const explain = (error: unknown): unknown => {
    if (signal?.aborted === true) return signal.reason
    if (body.failure !== undefined) return body.failure.error
    return error instanceof TowlineError ? error : new ConnectionFailure(reasonOf(error), error)
  }
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...request.headers, ...lengthOf(request.body) },
      body: body.content,
      ...(signal === undefined ? {} : { signal }),
      ...(request.answerTimeoutMs === undefined ? {} : { headersTimeout: request.answerTimeoutMs }),
    })
    const { statusCode: status, headers } = answer
    const isGood = status >= 200 && status < 300
    if (request.streamed === true && isGood)
      return { status, url, headers, body: new Uint8Array(), stream: explained(answer.body, explain) }
    return { status, url, headers, body: await readUpTo(answer.body, request, isGood) }
  } catch (error) {
    throw explain(error)
  }
}

function lengthOf(body: RequestBody | undefined): Record<string, string> {
  if (body === undefined) return {}
  return { 'content-length': String('bytes' in body ? body.bytes.length : body.sizeBytes) }
}

interface WatchedBody {
  readonly content: Buffer | Readable | null
  failure?: { readonly error: unknown }
}

/** Tells a failure of what is read here from one of the connection: they come out at the same place. */
function watchBody(body: RequestBody | undefined): WatchedBody {
  if (body === undefined) return { content: null }
  if ('bytes' in body) return { content: Buffer.from(body.bytes) }
  if (body.sizeBytes === 0) return { content: Buffer.alloc(0) }
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => {
      const chunks = body.open()[Symbol.asyncIterator]()
      return {
        next: async () => {
          try {
            return await chunks.next()
          } catch (error) {
            watched.failure = { error }
            throw error
          }
        },
        // No `throw`: a cut connection would be handed to the source, and come back as the source's own failure.
        return: async () => {
          await chunks.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
  const watched: WatchedBody = { content: Readable.from(source, { highWaterMark: 1 }) }
  return watched
}

async function readUpTo(body: AsyncIterable<Uint8Array>, request: HttpRequest, isGood: boolean): Promise<Uint8Array> {
  const maxBytes = isGood ? (request.maxAnswerBytes ?? defaultMaxAnswerBytes) : defaultMaxAnswerBytes
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes <= maxBytes) continue
    if (!isGood) break
    throw new TowlineError(
      'TL_REGISTRY_FAILED',
      `${request.url.host} answered more than ${maxBytes} bytes to ${request.method} ${request.url.pathname}`,
    )
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

async function* explained(body: AsyncIterable<Uint8Array>, explain: (error: unknown) => unknown) {
  try {
    yield* body
  } catch (error) {
    throw explain(error)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Of several addresses tried, the first failure speaks for all.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return first instanceof Error ? first.message : error.message
}

import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { ClusterAccess } from '../credentials/access.ts'
import { type Asked, explainSilence, readFailure } from './failure.ts'

export interface KubeCall {
  readonly method: string
  /** From the root, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
  /** Until the answer begins; a stream may last as long as it likes then. */
  readonly timeoutMs?: number
}

export interface KubeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  /** All of it. TL_CLUSTER_UNREACHABLE when it breaks off. */
  bytes(): Promise<Uint8Array>
}

/** One connection pool to one API server, as one person. */
export interface Transport {
  /** The answer, whatever its status. TL_CLUSTER_UNREACHABLE when there is none. */
  send(call: KubeCall): Promise<KubeAnswer>
  /** The JSON of an answer under 300; other answers are thrown. What changes nothing is tried again while a server asks for patience. */
  json(call: KubeCall): Promise<unknown>
  close(): Promise<void>
}

const defaultTimeoutMs = 30_000
const connectTimeoutMs = 10_000
const triesWhenBusy = 4
const busyBackoff = { firstMs: 250, factor: 2, maxMs: 5000 }

/** HTTP/1.1: a watch holds a connection of its own, and nothing here sends hundreds of calls at a time. */
export function openTransport(access: ClusterAccess, clock: Clock): Transport {
  const { server, context } = access
  const dispatcher = openDispatcher(access)
  const dispatch = async (call: KubeCall, renewed: boolean): Promise<KubeAnswer> => {
    const asked = { method: call.method, path: call.path, server, context }
    const headers = {
      accept: 'application/json',
      'user-agent': 'towline',
      ...call.headers,
      ...(await access.authorize(renewed)),
    }
    const { timeoutMs = defaultTimeoutMs } = call
    try {
      const {
        statusCode,
        headers: got,
        body,
      } = await dispatcher.request({
        origin: server,
        path: new URL(server).pathname.replace(/\/$/, '') + call.path,
        method: call.method,
        headers,
        body: call.body === undefined ? null : call.body,
        headersTimeout: timeoutMs,
        bodyTimeout: 0,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      })
      return readAnswer(statusCode, got, body, asked)
    } catch (error) {
      call.signal?.throwIfAborted()
      throw explainSilence(error, asked)
    }
  }
  const send = async (call: KubeCall): Promise<KubeAnswer> => {
    const answer = await dispatch(call, false)
    if (answer.status !== 401) return answer
    await answer.bytes()
    return dispatch(call, true)
  }
  return {
    send,
    json: async (call) => {
      for (let attempt = 0; ; attempt++) {
        const answer = await send(call)
        const text = Buffer.from(await answer.bytes()).toString()
        if (answer.status < 300) return parseAnswer(text, call, access)
        const busy = answer.status === 429 || (answer.status === 503 && call.method === 'GET')
        // An eviction that a budget holds back is refused with 429 too, without asking for patience.
        const askedMs = Number(answer.headers['retry-after'] ?? Number.NaN) * 1000
        if (!busy || attempt + 1 >= triesWhenBusy || (answer.status === 429 && !(askedMs >= 0)) || isBudget(text))
          throw readFailure(answer.status, text, { method: call.method, path: call.path, server, context })
        await clock.sleep(
          Math.max(backoffMs(busyBackoff, attempt, Math.random()), Math.min(askedMs || 0, 10_000)),
          call.signal,
        )
      }
    },
    close: () => dispatcher.destroy(),
  }
}

function isBudget(text: string): boolean {
  return text.includes('DisruptionBudget')
}

function openDispatcher({ proxy, tls }: ClusterAccess): Dispatcher {
  // Buffers of node:tls, as undici hands them on.
  const secure = tls as { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string; rejectUnauthorized: boolean }
  const common = { keepAliveTimeout: 30_000, connections: 64 }
  return proxy === undefined
    ? new Agent({ ...common, connect: { ...secure, timeout: connectTimeoutMs, keepAlive: true } })
    : new ProxyAgent({ ...common, uri: proxy, requestTls: secure })
}

function readAnswer(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Dispatcher.ResponseData['body'],
  asked: Asked,
): KubeAnswer {
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
    ),
    body,
    bytes: async () => {
      try {
        return new Uint8Array(await body.arrayBuffer())
      } catch (error) {
        throw explainSilence(error, asked)
      }
    },
  }
}

function parseAnswer(text: string, { method, path }: KubeCall, { server }: ClusterAccess): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TowlineError(
      'TL_CLUSTER_FAILED',
      `${method} ${path.split('?', 1)[0]} at ${server}: the answer is no JSON (\`${text.slice(0, 80)}\`)`,
      {
        cause,
        hint: 'is something else than a Kubernetes API server there, such as a page to sign in?',
      },
    )
  }
}

import type { Dispatcher } from 'undici'
import type { Clock } from '../../base/clock.ts'
import type { Authority, ClientCertificate, ClusterAccess } from '../credentials/access.ts'
import { waitUnlessAborted } from '../waiting.ts'
import { type KubeAnswer, readStart } from './answer.ts'
import { isSameCertificate, openDispatcher } from './dispatcher.ts'
import { readFailure } from './failure.ts'
import { isPassingFailure, maxTries, retryDelayMs } from './retry.ts'
import { explainSilence, isPassing } from './silence.ts'

export interface KubeCall {
  readonly method: string
  /** From the root, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
  /** Until the answer begins, and between two parts of its body. Default: 30 s. */
  readonly timeoutMs?: number
  /** The body may be silent for as long as it likes. */
  readonly isStream?: boolean
  /** Done twice it does the same. Default: all but POST. */
  readonly isRepeatable?: boolean
}

/** Connections to one API server, as one person. */
export interface Transport {
  /** The answer, whatever its status; who asks is asked once more at 401. TL_CLUSTER_UNREACHABLE when there is none. */
  send(call: KubeCall): Promise<KubeAnswer>
  /**
   * What `read` makes of an answer under 300; others are thrown. Where it may help, what is repeatable is tried again, `maxTries` times
   * in all, also when `read` meets the end of a connection.
   */
  ask<T>(call: KubeCall, read: (answer: KubeAnswer) => Promise<T>): Promise<T>
  /** Ends every call. */
  close(): Promise<void>
}

export interface TransportOptions {
  readonly access: ClusterAccess
  readonly clock: Clock
  readonly userAgent: string
  readonly random: () => number
}

const defaultTimeoutMs = 30_000
const maxFailureBytes = 256 << 10

export function openTransport({ access, clock, userAgent, random }: TransportOptions): Transport {
  const { server, authorize } = access
  const base = new URL(server)
  const basePath = base.pathname.replace(/\/$/, '')
  const pool = openPool(access)
  let wasReached = false

  const dispatch = async (call: KubeCall, { headers, certificate }: Authority): Promise<KubeAnswer> => {
    const { method, path, body = null, timeoutMs = defaultTimeoutMs, signal } = call
    signal?.throwIfAborted()
    const dispatcher = await pool.use(certificate)
    const explain = (error: unknown): unknown =>
      signal?.aborted === true ? signal.reason : explainSilence(error, access)
    try {
      const answer = await dispatcher.request({
        origin: base.origin,
        path: basePath + path,
        method,
        headers: { accept: 'application/json', 'user-agent': userAgent, ...call.headers, ...headers },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: call.isStream === true ? 0 : timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      })
      wasReached = true
      return {
        status: answer.statusCode,
        headers: joinHeaders(answer.headers),
        body: explained(answer.body, explain),
      }
    } catch (error) {
      throw explain(error)
    }
  }

  const send = async (call: KubeCall): Promise<KubeAnswer> => {
    call.signal?.throwIfAborted()
    // Others may wait for the same login: who has gone does not end it.
    const authority = await waitUnlessAborted(authorize(), call.signal)
    const answer = await dispatch(call, authority)
    if (answer.status !== 401) return answer
    await readStart(answer.body, maxFailureBytes)
    return await dispatch(call, await waitUnlessAborted(authorize(authority), call.signal))
  }

  return {
    send,
    ask: async (call, read) => {
      const { method, isRepeatable = method !== 'POST', signal } = call
      for (let tries = 1; ; tries++) {
        const isLast = !isRepeatable || tries === maxTries
        let retryAfter: string | undefined
        try {
          const answer = await send(call)
          if (answer.status < 300) return await read(answer)
          const text = Buffer.from(await readStart(answer.body, maxFailureBytes)).toString()
          const failure = readFailure(answer.status, text, { ...access, method, path: call.path })
          if (isLast || !isPassingFailure(failure, answer.headers)) throw failure
          retryAfter = answer.headers['retry-after']
        } catch (error) {
          if (isLast || !isPassing(error, wasReached)) throw error
        }
        await clock.sleep(retryDelayMs(tries, retryAfter, random(), clock.nowMs()), signal)
      }
    },
    close: () => pool.close(),
  }
}

interface Pool {
  use(certificate: ClientCertificate | undefined): Promise<Dispatcher>
  close(): Promise<void>
}

/** A certificate belongs to a connection: with another one there are other connections, and calls under way end on theirs. */
function openPool(access: ClusterAccess): Pool {
  const opened: Promise<Dispatcher>[] = []
  let current: ClientCertificate | undefined
  return {
    use: (certificate) => {
      const last = opened.at(-1)
      if (last !== undefined && isSameCertificate(current, certificate)) return last
      void last?.then((dispatcher) => dispatcher.close()).catch(() => {})
      current = certificate
      const next = openDispatcher(access, certificate)
      opened.push(next)
      return next
    },
    close: async () => {
      await Promise.all(opened.map(async (dispatcher) => (await dispatcher).destroy()))
    },
  }
}

async function* explained(
  body: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw explain(error)
  }
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

import { type IncomingMessage, request as startRequest } from 'node:http'
import { withDeadline } from '../base/deadline.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import type { Payload } from './payload.ts'

/** One request to a model, and who may wait for it how long. */
export interface InferenceTarget {
  /** Of the model's `/infer`: `inferUrl` makes it. */
  readonly url: string
  /** For example a key. */
  readonly headers?: Readonly<Record<string, string>>
  /** For the whole answer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface InferenceAnswer {
  readonly status: number
  /** Undefined when it is no JSON. */
  readonly body: unknown
  readonly text: string
  readonly tookMs: number
}

/** `http://127.0.0.1:8080` and a model's name → where it is asked. */
export function inferUrl(base: string, modelName: string): string {
  return `${base.replace(/\/+$/, '')}/v2/models/${encodeURIComponent(modelName)}/infer`
}

/** The answer, whatever its status. TL_SERVICE_UNKNOWN when nothing listens, TL_UPSTREAM_TIMEOUT when it comes too late. */
export async function callInference(payload: Payload, target: InferenceTarget): Promise<InferenceAnswer> {
  const { url, timeoutMs, signal } = target
  const startMs = performance.now()
  try {
    return await withDeadline(
      timeoutMs,
      signal,
      async (either) => {
        const response = await post(payload, target, either)
        const chunks: Buffer[] = []
        for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
        const text = Buffer.concat(chunks).toString()
        return { status: response.statusCode ?? 0, text, body: parse(text), tookMs: performance.now() - startMs }
      },
      { code: 'TL_UPSTREAM_TIMEOUT', what: `an answer of ${url}` },
    )
  } catch (cause) {
    signal?.throwIfAborted()
    if (!hasErrno(cause, 'ECONNREFUSED', 'ENOTFOUND')) throw cause
    throw new TowlineError('TL_SERVICE_UNKNOWN', `nothing listens at ${url}`, {
      cause,
      hint: '`towline up FILE` starts a service',
    })
  }
}

async function post(
  { bytes, type }: Payload,
  { url, headers }: InferenceTarget,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = startRequest(url, {
    method: 'POST',
    headers: { 'content-type': type, 'content-length': bytes.length, ...headers },
    agent: false,
    signal,
  })
  request.once('response', resolve)
  // Stays for the life of the request: errors after the answer has begun reach the reader of the body.
  request.on('error', reject)
  request.end(bytes)
  return promise
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

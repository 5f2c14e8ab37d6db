import { type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http'
import { hasErrno } from '../base/errors.ts'
import { openSocketPath } from './socket-path.ts'

/**
 * A small client for control calls and probes: one connection for each call, answers kept small. Failures keep their system
 * code, so that callers can translate them: `isNobodyListening`, `isLate`, or another errno (ECONNRESET, EBADMSG, EMSGSIZE).
 */
export type HttpAddress = { readonly socketPath: string } | { readonly url: string }

export type HttpCall = HttpAddress & {
  readonly method: string
  /** From the root, with its query. A path in `url` stands before it. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** `requestJson`: for the whole answer. `streamLines`: until the answer begins. */
  readonly timeoutMs: number
}

export interface HttpAnswer {
  readonly status: number
  /** Parsed when the answer is JSON, its text when it is something else, undefined when it is empty. */
  readonly body: unknown
}

const maxAnswerBytes = 16 << 20
const maxLineBytes = 4 << 20

export async function requestJson(call: HttpCall): Promise<HttpAnswer> {
  const limit = startLimit(call)
  try {
    const response = await openResponse(call, limit.signal)
    return { status: response.statusCode ?? 0, body: await readBody(response, call) }
  } catch (error) {
    throw limit.explain(error)
  } finally {
    limit.stop()
  }
}

/**
 * The values of an NDJSON answer as they arrive. Leaving the loop closes the connection; an answer cut off is an error. An
 * answer other than 200 is thrown as what `refused` makes of it.
 */
export async function* streamLines(call: HttpCall, refused: (answer: HttpAnswer) => Error): AsyncGenerator {
  const limit = startLimit(call)
  try {
    const response = await openResponse(call, limit.signal)
    if (response.statusCode !== 200) {
      throw refused({ status: response.statusCode ?? 0, body: await readBody(response, call) })
    }
    limit.begun()
    yield* readLines(response, call)
  } catch (error) {
    throw limit.explain(error)
  } finally {
    limit.stop()
  }
}

/** Nobody accepts connections there: no such socket file, or one that its process left behind, or a closed port. */
export function isNobodyListening(error: unknown): boolean {
  return hasErrno(error, 'ECONNREFUSED', 'ENOENT')
}

/** The call's own `timeoutMs` ran out. */
export function isLate(error: unknown): boolean {
  return hasErrno(error, 'ETIMEDOUT')
}

async function openResponse(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const socket = 'socketPath' in call ? openSocketPath(call.socketPath) : undefined
  try {
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
    const request = start(call, { body, socketPath: socket?.path, signal })
    request.once('response', resolve)
    // Stays for the life of the request: errors after the answer has begun reach the reader of the body.
    request.on('error', reject)
    request.end(body)
    return await promise
  } finally {
    socket?.close()
  }
}

interface Sending {
  readonly body: Buffer | undefined
  readonly socketPath: string | undefined
  readonly signal: AbortSignal
}

function start(call: HttpCall, { body, socketPath, signal }: Sending): ClientRequest {
  const headers: Record<string, string | number> = { accept: 'application/json', ...call.headers }
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = body.length
  }
  // No agent: a connection that is kept could be the one to a process that has ended since.
  const options = { method: call.method, headers, agent: false, signal } as const
  if ('url' in call) return startRequest(call.url.replace(/\/$/, '') + call.path, options)
  return startRequest({ ...options, socketPath: socketPath ?? call.socketPath, path: call.path, host: 'localhost' })
}

async function readBody(response: IncomingMessage, call: HttpCall): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > maxAnswerBytes)
      throw failure('EMSGSIZE', `${place(call)} answered more than ${maxAnswerBytes} bytes`)
  }
  if (sizeBytes === 0) return undefined
  const text = Buffer.concat(chunks).toString()
  return /^application\/json\b/i.test(response.headers['content-type'] ?? '') ? parse(text, call) : text
}

async function* readLines(response: IncomingMessage, call: HttpCall): AsyncGenerator {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      pending.push(chunk.subarray(from, end))
      from = end + 1
      const line = Buffer.concat(pending).toString()
      pending = []
      pendingBytes = 0
      // An empty line keeps the connection alive and says nothing.
      if (line.trim() !== '') yield parse(line, call)
    }
    pending.push(chunk.subarray(from))
    pendingBytes += chunk.length - from
    if (pendingBytes > maxLineBytes)
      throw failure('EMSGSIZE', `${place(call)} sent a line of more than ${maxLineBytes} bytes`)
  }
  if (pendingBytes > 0) throw failure('EBADMSG', `${place(call)} ended in the middle of a line`)
}

/** One signal for the caller's and the time limit's, and the error that tells which of them it was. */
function startLimit(call: HttpCall) {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), call.timeoutMs)
  return {
    signal: call.signal === undefined ? late.signal : AbortSignal.any([late.signal, call.signal]),
    begun: () => clearTimeout(timer),
    stop: () => clearTimeout(timer),
    explain: (error: unknown): unknown => {
      if (call.signal?.aborted === true) return call.signal.reason
      return late.signal.aborted
        ? failure('ETIMEDOUT', `${place(call)} gave no answer within ${call.timeoutMs} ms`)
        : error
    },
  }
}

function parse(text: string, call: HttpCall): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw failure('EBADMSG', `${place(call)} answered with broken JSON: ${JSON.stringify(text.slice(0, 80))}`, cause)
  }
}

function place(call: HttpCall): string {
  return `${call.method} ${call.path} at ${'url' in call ? call.url : call.socketPath}`
}

function failure(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code })
}

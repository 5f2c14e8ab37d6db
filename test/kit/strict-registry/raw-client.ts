import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request as startRequest } from 'node:http'
import type { StrictRegistry } from './strict-registry.ts'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface RawCall {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent with its length unless `chunked`. */
  readonly body?: Uint8Array | string
  readonly chunked?: boolean
}

/** One request as it stands, however wrong: a client that keeps to no rule. Rejects when the connection breaks. */
export async function callRaw(
  at: Pick<StrictRegistry, 'host'>,
  method: string,
  target: string,
  call: RawCall = {},
): Promise<RawAnswer> {
  const { headers = {}, body, chunked = false } = call
  const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': Buffer.byteLength(body ?? '') }
  const carries = body !== undefined || method === 'POST' || method === 'PUT' || method === 'PATCH'
  const url = new URL(target, `http://${at.host}`)
  const request = startRequest(url, { method, agent: false, headers: { ...(carries ? length : {}), ...headers } })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }
}

/** The code of the first error in the answer, as the specification lists them. */
export function codeOf({ body }: RawAnswer): string {
  return (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code ?? ''
}

import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request as startRequest } from 'node:http'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { digestOf } from '../../../src/image/oci/descriptor.ts'
import type { RegistryOptions } from './options.ts'
import { type StrictRegistry, startStrictRegistry } from './strict-registry.ts'

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

/** A registry for one test, and a client without manners. */
export interface Rig {
  readonly registry: StrictRegistry
  /** Below `/v2/`, or a whole Location. */
  call(method: string, target: string, call?: RawCall): Promise<RawAnswer>
  /** The Location of a new upload in `a`. */
  begin(): Promise<string>
  broken(): readonly string[]
}

/** Closed after the test. */
export async function openRig(t: TestContext, options: RegistryOptions = {}): Promise<Rig> {
  const registry = await startStrictRegistry(options)
  t.after(async () => await registry.close())
  const call: Rig['call'] = async (method, target, more) =>
    await callRaw(registry, method, /^(http:|\/)/.test(target) ? target : `/v2/${target}`, more)
  return {
    registry,
    call,
    begin: async () => locationOf(await call('POST', 'a/blobs/uploads/')),
    broken: () => registry.violations.map(({ rule }) => rule),
  }
}

export const locationOf = ({ headers }: RawAnswer): string => headers.location ?? assert.fail('no Location')
export const octets = { 'content-type': 'application/octet-stream' }
export const blob = Buffer.from('0123456789')
export const digest = digestOf(blob)
export const otherDigest = digestOf(Buffer.from('other'))
export const chunk = (first: number, last: number): RawCall => ({
  headers: { ...octets, 'content-range': `${first}-${last}` },
  body: blob.subarray(first, last + 1),
})
export const closing = (location: string, named: string = digest): string => `${location}&digest=${named}`

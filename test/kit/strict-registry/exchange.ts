import type { IncomingMessage } from 'node:http'
import type { Fault } from './faults.ts'
import type { RegistryOptions } from './options.ts'
import type { RegistryState } from './state.ts'

/** One request and all that serving it needs. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly url: URL
  readonly state: RegistryState
  readonly options: RegistryOptions
  readonly fault: Fault | undefined
  /** Undefined when the client did not say. */
  readonly contentLength: number | undefined
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array
  /** Called when all of the answer was handed to the network, and not when a fault kept it back. */
  readonly delivered?: () => void
}

/** The codes of distribution-spec 1.1. */
export type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'

/** A rule that a client broke. */
export interface Violation {
  readonly rule: Rule
  readonly request: string
  readonly detail: string
}

export type Rule =
  | 'AuthorizationAtRedirect'
  | 'ChunkTooLong'
  | 'ChunkTooShort'
  | 'ContentLengthMissing'
  | 'ContentRangeInvalid'
  | 'ContentRangeMissing'
  | 'ContentRangeOrder'
  | 'ContentType'
  | 'DigestInvalid'
  | 'DigestMismatch'
  | 'Endpoint'
  | 'LocationQueryLost'
  | 'LocationStale'
  | 'ManifestBlobUnknown'
  | 'ManifestInvalid'
  | 'SizeMismatch'
  | 'TagInvalid'
  | 'TagOnMissingBlobs'
  | 'TokenRequest'
  | 'UploadUnknown'
  /** Not the client's fault: this registry itself failed. */
  | 'RegistryBroken'

/** The connection ended before the body did, by a fault or by the client. */
export class ConnectionCut extends Error {}

export function errorAnswer(status: number, code: OciCode, message: string, headers: Answer['headers'] = {}): Answer {
  return jsonAnswer(status, { errors: [{ code, message, detail: null }] }, headers)
}

export function jsonAnswer(status: number, value: object, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  }
}

/** Writes a violation down, and says it to the client. */
export function refuse(exchange: Exchange, rule: Rule, code: OciCode, detail: string, status = 400): Answer {
  recordViolation(exchange, rule, detail)
  return errorAnswer(status, code, detail)
}

export function recordViolation(
  { state, request }: Pick<Exchange, 'state' | 'request'>,
  rule: Rule,
  detail: string,
): void {
  state.violations.push({ rule, request: `${request.method} ${request.url}`, detail })
}

/** The pieces of the body as they arrive, up to the cut where there is one. Throws ConnectionCut. */
export async function* readBody({ request, fault, contentLength = 0 }: Exchange): AsyncGenerator<Buffer> {
  const cutAt = fault?.kind === 'CutRequest' ? Math.min(fault.afterBytes, contentLength) : Infinity
  let seenBytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const kept = chunk.subarray(0, cutAt - seenBytes)
      seenBytes += kept.length
      if (kept.length > 0) yield kept
      if (seenBytes >= cutAt) throw new ConnectionCut('by plan')
    }
  } catch (cause) {
    request.destroy()
    throw new ConnectionCut('before the end of the body', { cause })
  }
}

/** The body of something small. Undefined when it is longer than the limit. */
export async function readWhole(exchange: Exchange, maxBytes: number): Promise<Buffer | undefined> {
  if ((exchange.contentLength ?? 0) > maxBytes) return undefined
  const chunks: Buffer[] = []
  for await (const chunk of readBody(exchange)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { newRequestId } from '../base/id.ts'

/** What ties the log lines of one request together across processes. */
export interface RequestTrace {
  readonly requestId: string
  /** W3C Trace Context: 32 hex digits, the caller's own where it sent a valid `traceparent`. */
  readonly traceId: string
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}($|-)/
const plainId = /^[\w.:/+=@-]{1,128}$/

/** A caller's request id is taken only where it is short and plain: it goes into logs and headers. */
export function readRequestId(given: string | undefined): string {
  return given !== undefined && plainId.test(given) ? given : newRequestId()
}

export function readTrace(headers: IncomingHttpHeaders): RequestTrace {
  const { traceparent: parent, 'x-request-id': requestId } = headers
  const [, version, traceId = '', parentId = '', end] =
    (typeof parent === 'string' ? traceparent.exec(parent) : undefined) ?? []
  // Later versions may add fields; version 00 has none behind its flags.
  const knownForm = version !== undefined && version !== 'ff' && !(version === '00' && end === '-')
  const valid = knownForm && !/^0+$/.test(traceId) && !/^0+$/.test(parentId)
  return {
    requestId: readRequestId(typeof requestId === 'string' ? requestId : undefined),
    traceId: valid ? traceId : randomBytes(16).toString('hex'),
  }
}

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { newRequestId } from '../base/id.ts'

/** What ties the log lines of one request together across processes. */
export interface RequestTrace {
  readonly requestId: string
  /** W3C Trace Context: 32 hex digits, the caller's own where it sent a valid `traceparent`. */
  readonly traceId: string
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/
const plainId = /^[\w.:/+=@-]{1,128}$/

/** A caller's request id is taken only where it is short and plain: it goes into logs and headers. */
export function readTrace(headers: IncomingHttpHeaders): RequestTrace {
  const given = headers['x-request-id']
  const requestId = typeof given === 'string' && plainId.test(given) ? given : newRequestId()
  const parent = headers['traceparent']
  const [, version, traceId] = (typeof parent === 'string' ? traceparent.exec(parent) : undefined) ?? []
  const valid = traceId !== undefined && version !== 'ff' && !/^0+$/.test(traceId)
  return { requestId, traceId: valid ? traceId : randomBytes(16).toString('hex') }
}

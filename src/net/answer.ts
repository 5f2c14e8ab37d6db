import type { IncomingMessage, ServerResponse } from 'node:http'
import { TowlineError, codes } from '../base/errors.ts'

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** The whole answer to what could not be read as a request, in the protocol's form; the connection ends with it. */
export function renderBrokenRequest(statusLine: string, error: string): string {
  const body = JSON.stringify({ error })
  const headers = `connection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`
  return `HTTP/1.1 ${statusLine}\r\n${headers}\r\n\r\n${body}`
}

/** The Open Inference Protocol's error form, `{"error": "…"}`. An error that is no TowlineError is a bug: 500, its text kept out. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  if (!(error instanceof TowlineError))
    return sendJson(response, 500, { error: 'Towline failed on this request; the log has the details' })
  const status = codes[error.code].http
  if (status === 503) response.setHeader('retry-after', '1')
  // What is left of a refused body is not read: the connection cannot be used again.
  if (!response.req.complete && hasBody(response.req)) response.setHeader('connection', 'close')
  sendJson(response, status, describeError(error))
}

/** The protocol's form, with our code beside its text. */
export function describeError({ code, message, hint }: TowlineError): {
  readonly error: string
  readonly code: string
} {
  return { error: hint === undefined ? message : `${message} (${hint})`, code }
}

/** A request without a body is `complete` only a moment after its handler began, and its connection is good all the same. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

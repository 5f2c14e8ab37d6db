import type { ServerResponse } from 'node:http'
import { type TowlineError, codes } from '../../base/errors.ts'
import { endResponse } from '../../net/upstream-relay.ts'

/**
 * The gateway's own error, in the protocol's form. Unlike `sendError` it lets a client finish a body that nobody wants, so
 * that the client reads the answer instead of a reset connection.
 */
export function refuse(response: ServerResponse, error: TowlineError, requestId: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const { code, message, hint } = error
  const text = hint === undefined ? message : `${message} (${hint})`
  const body = Buffer.from(JSON.stringify({ error: text, code }))
  const status = codes[code].http
  response.setHeader('x-request-id', requestId)
  if (status === 503) response.setHeader('retry-after', '1')
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  if (response.req.method !== 'HEAD') response.write(body)
  endResponse(response)
}

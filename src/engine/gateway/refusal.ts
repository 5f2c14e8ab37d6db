import { STATUS_CODES } from 'node:http'
import { type TowlineError, codes } from '../../base/errors.ts'
import { describeError } from '../../net/answer.ts'
import type { ClientExchange } from '../../net/downstream/client-exchange.ts'

/** The gateway's own error, in the protocol's form. */
export function refuse(client: ClientExchange, error: TowlineError, requestId: string): void {
  if (client.headSent || client.closed) return client.destroy()
  const body = Buffer.from(JSON.stringify(describeError(error)))
  const status = codes[error.code].http
  const headers = ['X-Request-Id', requestId, 'Content-Type', 'application/json', 'Content-Length', String(body.length)]
  headers.push('Date', new Date().toUTCString())
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer')
  if (status === 503) headers.push('Retry-After', '1')
  client.sendHead(status, STATUS_CODES[status] ?? '', headers)
  client.write(body)
  client.end()
}

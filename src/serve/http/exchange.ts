import type { IncomingMessage, ServerResponse } from 'node:http'
import { TowlineError } from '../../base/errors.ts'
import type { RequestTrace } from '../../net/trace-context.ts'

/** One request on its way through the routes. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly trace: RequestTrace
  readonly query: URLSearchParams
  /** For the log line. */
  rows: number
}

/** Path segments decoded, without empty ones; throws TL_ROUTE_UNKNOWN when an escape is broken. */
export function splitPath(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
  } catch (cause) {
    throw new TowlineError('TL_ROUTE_UNKNOWN', `${path.slice(0, 200)} has a broken % escape`, { cause })
  }
}

/** HEAD is answered wherever GET is; the answer's body is left out by the HTTP layer. */
export function requireMethod({ request, response }: Exchange, method: 'GET' | 'POST'): void {
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return
  response.setHeader('allow', method === 'GET' ? 'GET, HEAD' : method)
  throw new TowlineError('TL_METHOD_UNSUPPORTED', `${request.method} ${request.url?.slice(0, 200)}; use ${method}`)
}

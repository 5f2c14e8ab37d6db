import type { IncomingMessage } from 'node:http'
import { TowlineError } from '../../base/errors.ts'
import type { Framing } from '../../net/upstream-head.ts'
import { endToEndHeaders } from '../../net/upstream-headers.ts'

/**
 * Written anew for the replica: the framing follows from what was parsed, never from what was claimed. `expect` has been
 * answered here already. An id that the gateway did not take must not be the one that the replica logs.
 */
const rewritten: ReadonlySet<string> = new Set(['content-length', 'expect', 'x-forwarded-for', 'x-request-id'])

/** Throws TL_REQUEST_INVALID for a body whose coding would get lost on the way. */
export function readFraming({ headers }: IncomingMessage): Framing {
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    if (coding.toLowerCase() === 'chunked') return { kind: 'Chunked' }
    throw new TowlineError('TL_REQUEST_INVALID', `transfer-encoding ${JSON.stringify(coding)} is not supported`, {
      hint: 'send the body plain, with content-length or chunked',
    })
  }
  const sizeBytes = Number(headers['content-length'] ?? 0)
  return sizeBytes > 0 ? { kind: 'Length', sizeBytes } : { kind: 'None' }
}

/** The target in origin form; a client that takes this for a proxy sends the absolute one. */
export function readTarget({ url = '', method }: IncomingMessage): string {
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return url
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0]
  if (origin === undefined)
    throw new TowlineError('TL_REQUEST_INVALID', `the request target is ${JSON.stringify(url.slice(0, 80))}`, {
      hint: 'send a path, such as /v2/health/ready',
    })
  const rest = url.slice(origin.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** What the replica gets: the client's headers, who it was, and an id to find the request by. */
export function forwardedHeaders(request: IncomingMessage, requestId: string): string[] {
  const { headers, rawHeaders, socket } = request
  const passed = endToEndHeaders(rawHeaders, rewritten)
  if (headers.host === undefined) passed.push('Host', 'localhost')
  passed.push('X-Request-Id', requestId)
  const chain = headers['x-forwarded-for']
  const client = socket.remoteAddress ?? 'unknown'
  passed.push('X-Forwarded-For', chain === undefined ? client : `${String(chain)}, ${client}`)
  return passed
}

import { TowlineError } from '../../base/errors.ts'
import type { ClientExchange } from '../../net/downstream/client-exchange.ts'
import { type RequestHead, findHeader } from '../../net/wire/message-head.ts'
import { endToEndHeaders } from '../../net/wire/headers.ts'

/**
 * Written anew for the replica: the framing follows from what was parsed, never from what was claimed. `expect` has been
 * answered here already. An id that the gateway did not take must not be the one that the replica logs.
 */
const rewritten: ReadonlySet<string> = new Set(['content-length', 'expect', 'x-forwarded-for', 'x-request-id'])

/** The target in origin form; a client that takes this for a proxy sends the absolute one. */
export function readTarget({ target: url, method }: RequestHead): string {
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
export function forwardedHeaders({ head, remoteAddress = 'unknown' }: ClientExchange, requestId: string): string[] {
  const { headers } = head
  const passed = endToEndHeaders(headers, rewritten)
  if (findHeader(headers, 'host') === undefined) passed.push('Host', 'localhost')
  const chain = findHeader(headers, 'x-forwarded-for')
  passed.push(
    'X-Request-Id',
    requestId,
    'X-Forwarded-For',
    chain === undefined ? remoteAddress : `${chain}, ${remoteAddress}`,
  )
  return passed
}

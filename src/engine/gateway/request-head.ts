import { createHash } from 'node:crypto'
import { TowlineError } from '../../base/errors.ts'
import type { ApiKey } from '../../spec/service.ts'
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

const keyHeaders: ReadonlySet<string> = new Set([...rewritten, 'authorization', 'x-api-key'])

/** What a load balancer asks to find out who may be sent requests. Nothing else, however it is spelled. */
const openTarget = /^\/v2\/health\/(?:live|ready)$/

/** Throws TL_KEY_REFUSED unless the request carries one of the keys, as `Authorization: Bearer KEY` or `X-API-Key: KEY`. */
export function checkKey({ method, target, headers }: RequestHead, apiKeys: readonly ApiKey[]): void {
  if ((method === 'GET' || method === 'HEAD') && openTarget.test(target)) return
  const bearer = /^bearer +([^\s,]+)$/i.exec(findHeader(headers, 'authorization') ?? '')?.[1]
  const key = bearer ?? findHeader(headers, 'x-api-key')
  if (key === undefined)
    throw new TowlineError('TL_KEY_REFUSED', 'the request has none', {
      hint: 'send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`; towline takes it from TOWLINE_API_KEY',
    })
  // Compared as hashes, whose first difference says nothing about the key.
  const sha256 = createHash('sha256').update(key, 'latin1').digest('hex')
  if (!apiKeys.some((known) => known.sha256 === sha256)) throw new TowlineError('TL_KEY_REFUSED', 'nobody has this one')
}

/** What the replica gets: the client's headers, who it was, and an id to find the request by. */
export function forwardedHeaders(
  { head, remoteAddress = 'unknown' }: ClientExchange,
  { requestId, keyed }: { readonly requestId: string; readonly keyed: boolean },
): string[] {
  const { headers } = head
  // A key is for the gateway: replicas and their logs have no use for it.
  const passed = endToEndHeaders(headers, keyed ? keyHeaders : rewritten)
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

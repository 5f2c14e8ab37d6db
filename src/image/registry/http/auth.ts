import type { Clock } from '../../../base/clock.ts'
import { oneLine } from '../../../base/display.ts'
import { TowlineError } from '../../../base/errors.ts'
import type { Credentials } from '../credentials.ts'
import { type Challenge, chooseChallenge } from './challenge.ts'
import type { Answer, HttpRequest } from './exchange.ts'
import { isLoopbackHost, isPrivateAddress } from './host-kind.ts'
import { failureOf } from './registry-error.ts'
import type { Transport } from './transport.ts'

export interface AuthOptions {
  /** As people write it, for messages. */
  readonly host: string
  readonly origin: string
  readonly transport: Transport
  readonly clock: Clock
  readonly credentials: Credentials | undefined
}

/** What stands in the Authorization header of each request of one registry and one repository. */
export interface Authorizer {
  /** For these scopes, e.g. `repository:team/model:pull`; undefined as long as the registry asked for nothing. */
  header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined>
  /** Takes in a 401 to a request that carried `sent`; true when another try can go better. TL_REGISTRY_FAILED: unsafe realm. */
  learn(answer: Answer, scopes: readonly string[], sent: string | undefined): boolean
}

interface Token {
  readonly value: string
  /** On the monotonic clock. */
  readonly staleAtMs: number
}

/** What the specification assumes where a token server does not say. */
const defaultLifetimeSeconds = 60
const clientId = 'towline'

export function createAuthorizer(options: AuthOptions): Authorizer {
  const { clock, credentials } = options
  let challenge: Challenge | undefined
  /** By the scopes asked for; requests at the same time share one. */
  const tokens = new Map<string, Promise<Token>>()
  /** Tokens that the registry did not take. */
  const refused = new Set<string>()
  /** Scopes that the registry demanded beside those asked for. */
  const demanded = new Map<string, readonly string[]>()

  const tokenFor = async (bearer: Bearer, scopes: readonly string[], signal?: AbortSignal): Promise<string> => {
    const key = scopes.join(' ')
    for (let known = tokens.get(key); known !== undefined; known = tokens.get(key)) {
      const { value, staleAtMs } = await known
      if (clock.monotonicMs() < staleAtMs && !refused.has(bearerHeader(value))) return value
      // Somebody else may fetch a new one by now: then that is waited for.
      if (tokens.get(key) === known) tokens.delete(key)
    }
    const all = [...new Set([...(demanded.get(key) ?? []), ...scopes])]
    const fetched = fetchToken(options, bearer, all, signal)
    tokens.set(key, fetched)
    try {
      return (await fetched).value
    } catch (error) {
      if (tokens.get(key) === fetched) tokens.delete(key)
      throw error
    }
  }

  return {
    header: async (scopes, signal) => {
      if (credentials?.kind === 'RegistryToken') return bearerHeader(credentials.token)
      if (challenge === undefined) return undefined
      if (challenge.kind === 'Basic') return basicHeader(credentials)
      return bearerHeader(await tokenFor(challenge, scopes, signal))
    },
    learn: (answer, scopes, sent) => {
      const chosen = chooseChallenge([answer.headers['www-authenticate'] ?? []].flat())
      if (chosen === undefined || credentials?.kind === 'RegistryToken') return false
      if (chosen.kind === 'Basic') {
        challenge = chosen
        return basicHeader(credentials) !== undefined && sent !== basicHeader(credentials)
      }
      checkRealm(chosen.realm, options)
      challenge = chosen
      const key = scopes.join(' ')
      const before = demanded.get(key) ?? []
      if (sent !== undefined) refused.add(sent)
      // What is being fetched at this moment lacks a scope that was not known before.
      if (chosen.scopes.some((scope) => !before.includes(scope) && !scopes.includes(scope))) tokens.delete(key)
      demanded.set(key, [...new Set([...chosen.scopes, ...before])])
      return true
    },
  }
}

type Bearer = Challenge & { readonly kind: 'Bearer' }

async function fetchToken(
  options: AuthOptions,
  { realm, service }: Bearer,
  scopes: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Token> {
  const { transport, credentials, host, clock } = options
  const askedAtMs = clock.monotonicMs()
  const more = signal === undefined ? {} : { signal }
  let answer: Answer | undefined
  if (credentials?.kind === 'IdentityToken') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: credentials.token,
      scope: scopes.join(' '),
      ...(service === undefined ? {} : { service }),
    })
    const request: HttpRequest = {
      method: 'POST',
      url: new URL(realm),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: { bytes: Buffer.from(form.toString()) },
      ...more,
    }
    answer = await transport.send(request, { isSecret: true })
  }
  // 404 and 405: a token server without OAuth.
  if (answer === undefined || answer.status === 404 || answer.status === 405) {
    const url = new URL(realm)
    if (service !== undefined) url.searchParams.set('service', service)
    for (const scope of scopes) url.searchParams.append('scope', scope)
    const authorization = basicHeader(credentials)
    answer = await transport.send(
      { method: 'GET', url, headers: {}, ...more },
      authorization === undefined ? {} : { authorization, isSecret: true },
    )
  }
  if (answer.status !== 200) throw failureOf(answer, host, 'the request for a token')
  return readToken(answer, host, askedAtMs)
}

function readToken({ body, url }: Answer, host: string, askedAtMs: number): Token {
  let value: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null
  try {
    value = JSON.parse(Buffer.from(body).toString()) as typeof value
  } catch {
    value = null // below; what JSON.parse says would show a part of the token
  }
  const token = value?.token ?? value?.access_token
  // Nothing but what may stand in a header.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    throw new TowlineError('TL_REGISTRY_FAILED', `the token server of ${host} at ${url.host} answered without a token`)
  const seconds =
    typeof value?.expires_in === 'number' && value.expires_in > 0 ? value.expires_in : defaultLifetimeSeconds
  // A new one is fetched before the old one can end on the way.
  return { value: token, staleAtMs: askedAtMs + seconds * 800 }
}

function bearerHeader(token: string): string {
  return `Bearer ${token}`
}

function basicHeader(credentials: Credentials | undefined): string | undefined {
  const pair =
    credentials?.kind === 'Password'
      ? `${credentials.username}:${credentials.password}`
      : credentials?.kind === 'IdentityToken'
        ? `<token>:${credentials.token}`
        : undefined
  return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
}

/** A registry names the place to which a password is sent: it must be as safe as the registry, and not inside a network. */
function checkRealm(realm: string, { origin, host }: AuthOptions): void {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const registry = new URL(origin)
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw refuse('is no address')
  if (registry.protocol === 'https:' && url.protocol !== 'https:') throw refuse('is not encrypted')
  const isNear =
    url.hostname === registry.hostname || (isLoopbackHost(url.hostname) && isLoopbackHost(registry.hostname))
  if (!isNear && isPrivateAddress(url.hostname)) throw refuse('leads into a private network')

  function refuse(why: string): TowlineError {
    return new TowlineError(
      'TL_REGISTRY_FAILED',
      `${host} names the token server "${oneLine(url?.origin ?? realm)}", which ${why}`,
      { hint: 'nothing was sent there; the registry has to be set up otherwise' },
    )
  }
}

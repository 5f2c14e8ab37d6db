import { randomUUID } from 'node:crypto'
import { systemClock } from '../../../src/base/clock.ts'
import { type Answer, type Exchange, errorAnswer, jsonAnswer, readWhole, refuse } from './exchange.ts'
import type { AuthOption } from './options.ts'
import { type Route, repositoryPattern } from './route.ts'

type BearerOption = Extract<AuthOption, { kind: 'Bearer' }>

/** Looks at every request before it is served, and gives out tokens. */
export interface Gate {
  /** The refusal, or undefined for whoever may. */
  check(exchange: Exchange, route: Route): Answer | undefined
  giveToken(exchange: Exchange): Promise<Answer>
}

interface Token {
  /** `name:action` */
  readonly scopes: ReadonlySet<string>
  readonly expiresAtMs: number
}

const service = 'strict-registry'
const formLimitBytes = 16 << 10

export function createGate(auth: AuthOption = { kind: 'None' }, clock = systemClock): Gate {
  const tokens = new Map<string, Token>()
  const check: Gate['check'] = (exchange, route) => {
    const authorization = exchange.request.headers.authorization ?? ''
    if (auth.kind === 'None' || route.kind === 'Token') return undefined
    if (auth.kind === 'Basic') {
      return isLogin(auth, authorization) ? undefined : challenge('a login is needed', 'Basic realm="strict"')
    }
    const wanted = findScopes(exchange, route)
    const token = tokens.get(authorization.replace(/^Bearer /i, ''))
    const problem =
      token === undefined || token.expiresAtMs <= clock.monotonicMs() ? 'invalid_token' : 'insufficient_scope'
    if (problem === 'insufficient_scope' && wanted.every((scope) => token?.scopes.has(scope))) return undefined
    const parameters = {
      realm: `http://${exchange.request.headers.host}/token`,
      service,
      ...(wanted.length === 0 ? {} : { scope: formatScopes(wanted) }),
      ...(authorization === '' ? {} : { error: problem }),
    }
    const text = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`)
    return challenge('a token for this is needed', `Bearer ${text.join(',')}`)
  }
  const giveToken: Gate['giveToken'] = async (exchange) => {
    if (auth.kind !== 'Bearer') return errorAnswer(404, 'UNSUPPORTED', 'there are no tokens here')
    const asked = exchange.request.method === 'POST' ? await readForm(exchange, auth) : readQuery(exchange, auth)
    if ('status' in asked) return asked
    const scopes = parseScopes(asked.scopes)
    if (scopes === undefined)
      return refuse(exchange, 'TokenRequest', 'DENIED', `\`${asked.scopes.join(' ')}\` is no scope`)
    if (asked.service !== service)
      return refuse(exchange, 'TokenRequest', 'DENIED', `the service is \`${asked.service}\``)
    const mayPush = asked.isKnown && auth.readOnly !== true
    const granted = scopes.filter((scope) => scope.endsWith(':pull') || mayPush)
    const { tokenSeconds = 60, tokenField = 'token' } = auth
    const token = randomUUID()
    tokens.set(token, { scopes: new Set(granted), expiresAtMs: clock.monotonicMs() + tokenSeconds * 1000 })
    return jsonAnswer(200, { [tokenField]: token, expires_in: tokenSeconds })
  }
  return { check, giveToken }
}

/** Several challenges, of which one is for clients of another world. */
function challenge(message: string, known: string): Answer {
  return errorAnswer(401, 'UNAUTHORIZED', message, { 'www-authenticate': ['Negotiate', known] })
}

interface TokenRequest {
  readonly scopes: readonly string[]
  readonly service: string | null
  /** Someone with a login, and not just anyone. */
  readonly isKnown: boolean
}

function readQuery({ request, url }: Exchange, auth: BearerOption): TokenRequest | Answer {
  const { authorization } = request.headers
  const isKnown = authorization !== undefined && isLogin(auth, authorization)
  if (!isKnown && (authorization !== undefined || auth.anonymousPull !== true)) {
    return errorAnswer(401, 'UNAUTHORIZED', 'the login is not right')
  }
  return { isKnown, scopes: url.searchParams.getAll('scope'), service: url.searchParams.get('service') }
}

async function readForm(exchange: Exchange, { identityToken }: BearerOption): Promise<TokenRequest | Answer> {
  if (identityToken === undefined) return errorAnswer(404, 'UNSUPPORTED', 'tokens are given for GET only')
  const form = new URLSearchParams((await readWhole(exchange, formLimitBytes))?.toString())
  if (form.get('grant_type') !== 'refresh_token' || form.get('client_id') === null) {
    return refuse(
      exchange,
      'TokenRequest',
      'DENIED',
      'a token is asked for with grant_type=refresh_token and client_id',
    )
  }
  if (form.get('refresh_token') !== identityToken) return errorAnswer(401, 'UNAUTHORIZED', 'the token is not right')
  return { isKnown: true, scopes: form.getAll('scope'), service: form.get('service') }
}

function isLogin({ user, password }: { user: string; password: string }, authorization: string): boolean {
  return authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** What the request needs, as `name:action`. */
function findScopes({ url, request }: Exchange, route: Route): string[] {
  if (!('repository' in route)) return []
  const { repository } = route
  if (request.method === 'GET' || request.method === 'HEAD') {
    // The status of an upload is for whoever uploads.
    return route.kind === 'UploadGet' ? [`${repository}:pull`, `${repository}:push`] : [`${repository}:pull`]
  }
  const from = route.kind === 'UploadPost' && url.searchParams.has('mount') ? url.searchParams.get('from') : null
  return [`${repository}:pull`, `${repository}:push`, ...(from === null ? [] : [`${from}:pull`])]
}

function formatScopes(scopes: readonly string[]): string {
  const actions = Map.groupBy(scopes, (scope) => scope.slice(0, scope.indexOf(':')))
  return [...actions]
    .map(([name, all]) => `repository:${name}:${all.map((scope) => scope.slice(name.length + 1)).join(',')}`)
    .join(' ')
}

/** `repository:N:pull,push`, several parameters or several in one; undefined when one is not of that form. */
function parseScopes(texts: readonly string[]): string[] | undefined {
  const scopes: string[] = []
  for (const text of texts.flatMap((texts) => texts.split(' '))) {
    const [, name = '', actions = ''] =
      /^repository:([^:]+):((?:pull|push|delete)(?:,(?:pull|push|delete))*)$/.exec(text) ?? []
    if (!repositoryPattern.test(name)) return undefined
    scopes.push(...actions.split(',').map((action) => `${name}:${action}`))
  }
  return scopes
}

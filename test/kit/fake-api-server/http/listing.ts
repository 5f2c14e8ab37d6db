import type { Kind } from '../objects/kind.ts'
import { type Matches, parseFieldSelector, parseLabelSelector } from '../objects/selectors.ts'
import { StatusFailure, badRequest, expired, invalid } from '../objects/status-failure.ts'
import { type Store, sortKey } from '../objects/store.ts'
import type { JsonObject, StoredObject } from '../objects/stored-object.ts'
import { type Answer, json } from './exchange.ts'

/** Both selectors of a request. */
export function parseSelectors(query: URLSearchParams, kind: Kind): Matches {
  const matchesLabels = parseLabelSelector(query.get('labelSelector') ?? '')
  const matchesFields = parseFieldSelector(query.get('fieldSelector') ?? '', kind)
  return (object) => matchesLabels(object.metadata.labels ?? {}) && matchesFields(object)
}

/** The version that a request names; undefined: none. A StatusFailure of 400 where it is no number. */
export function parseVersion(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? ''
  if (text === '') return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
  )
}

/** As lists and watches show it: items of built-in lists do not name their kind. */
export function showItem({ isBuiltIn }: Kind, object: StoredObject): JsonObject {
  if (!isBuiltIn) return object
  const { apiVersion, kind, ...rest } = object
  void [apiVersion, kind]
  return rest
}

/** A page is bound to the version at which its list began. */
interface Token {
  readonly v: 'meta.k8s.io/v1'
  /** -1: from whatever is there now. */
  readonly rv: number
  /** The key after which it goes on. */
  readonly start: string
}

/** All that is there, or a page of `limit` with the token of the next. */
export function listObjects(store: Store, kind: Kind, namespace: string | undefined, query: URLSearchParams): Answer {
  const matches = parseSelectors(query, kind)
  const token = parseToken(query.get('continue') ?? '')
  const at = chooseVersion(store, query, token)
  const found = store.listAt(at, kind, namespace).filter(matches)
  const rest = token === undefined ? found : found.filter((object) => sortKey(object) > token.start)
  const limit = Number(query.get('limit') ?? 0)
  const items = limit > 0 ? rest.slice(0, limit) : rest
  const last = items.at(-1)
  const left = rest.length - items.length
  const isSelected = query.has('labelSelector') || query.has('fieldSelector')
  const page =
    left === 0 || last === undefined
      ? {}
      : {
          continue: writeToken({ v: 'meta.k8s.io/v1', rv: at, start: sortKey(last) }),
          ...(isSelected ? {} : { remainingItemCount: left }),
        }
  return json(200, {
    kind: kind.listKind,
    apiVersion: kind.apiVersion,
    metadata: { resourceVersion: String(at), ...page },
    items: items.map((object) => showItem(kind, object)),
  })
}

function chooseVersion(store: Store, query: URLSearchParams, token: Token | undefined): number {
  const now = store.version()
  if (token !== undefined) {
    if (token.rv === -1) return now
    if (token.rv >= store.compactedTo()) return token.rv
    // Whoever can live with a list that is not of one moment goes on with this one.
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      { continue: writeToken({ ...token, rv: -1 }) },
    )
  }
  const version = parseVersion(query)
  const match = query.get('resourceVersionMatch')
  if (version === undefined) {
    if (match === null) return now
    const detail = 'resourceVersionMatch is forbidden unless resourceVersion is provided'
    const field = 'resourceVersionMatch'
    throw invalid({ kind: 'ListOptions', group: 'meta.k8s.io', name: '' }, [{ field, mistake: 'Forbidden', detail }])
  }
  if (version > now) throw tooLarge(version, now)
  if (match !== 'Exact') return now
  if (version < store.compactedTo()) throw expired('The resourceVersion for the provided list is too old.')
  return version
}

function tooLarge(version: number, now: number): StatusFailure {
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  const message = `Timeout: Too large resource version: ${version}, current: ${now}`
  return new StatusFailure(504, 'Timeout', message, { details: { causes, retryAfterSeconds: 1 }, retryAfterSeconds: 1 })
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function parseToken(text: string): Token | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
  } catch {
    throw badRequest('invalid continue token: continue key is not valid: it is no JSON')
  }
}

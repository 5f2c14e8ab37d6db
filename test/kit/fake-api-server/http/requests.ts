import type { Address } from './address.ts'
import type { Access, Verb } from './access.ts'
import type { Exchange } from './exchange.ts'

/** One request, as a test sees it. */
export interface RequestRecord {
  /** `raw`: of neither an object nor a collection, such as discovery. */
  readonly verb: Verb | 'raw'
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly plural?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
  readonly contentType?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Undefined: not answered yet, or never. */
  status?: number
}

export function recordRequest(exchange: Exchange, address: Address, access: Access | undefined): RequestRecord {
  const { method, path, query, headers, body } = exchange
  const object = address.kind === 'Object' ? { name: address.name, subresource: address.subresource } : {}
  const kind =
    address.kind === 'Object' || address.kind === 'Collection'
      ? { plural: address.resource.plural, namespace: address.namespace }
      : {}
  return {
    verb: access?.verb ?? 'raw',
    method,
    path: query.size === 0 ? path : `${path}?${query.toString()}`,
    ...kind,
    ...object,
    contentType: headers['content-type'],
    headers,
    body: body.toString(),
  }
}

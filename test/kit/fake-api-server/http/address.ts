import type { Kind } from '../objects/kind.ts'
import type { World } from '../objects/world.ts'

/** What a path leads to. */
export type Address =
  | { readonly kind: 'Version' }
  | { readonly kind: 'Health' }
  | { readonly kind: 'Groups' }
  | { readonly kind: 'Kinds'; readonly group: string; readonly version: string }
  | { readonly kind: 'AccessReview' }
  /** `namespace` undefined: of all, or of a kind without any. */
  | { readonly kind: 'Collection'; readonly resource: Kind; readonly namespace: string | undefined }
  | ObjectAddress
  /** Below a group and version that are served, or nowhere. */
  | { readonly kind: 'Unknown'; readonly isServed: boolean }

export interface ObjectAddress {
  readonly kind: 'Object'
  readonly resource: Kind
  readonly namespace: string | undefined
  readonly name: string
  readonly subresource: string | undefined
  /** What comes after the subresource, such as the path behind a proxy. */
  readonly rest: string
}

export function parseAddress(path: string, world: World): Address {
  if (path === '/version') return { kind: 'Version' }
  if (/^\/(healthz|readyz|livez)$/.test(path)) return { kind: 'Health' }
  if (path === '/api' || path === '/apis') return { kind: 'Groups' }
  const [root, ...steps] = path.split('/').slice(1).map(decodeURIComponent)
  if (root !== 'api' && root !== 'apis') return { kind: 'Unknown', isServed: false }
  const group = root === 'api' ? '' : (steps.shift() ?? '')
  const version = steps.shift() ?? ''
  if (steps.length === 0) return { kind: 'Kinds', group, version }
  if (group === 'authorization.k8s.io' && steps[0] === 'selfsubjectaccessreviews') return { kind: 'AccessReview' }
  const isServed = world.kinds().some((kind) => kind.group === group && kind.version === version)
  const inNamespace = steps[0] === 'namespaces' && steps.length > 2 && !isSubresourceOfNamespace(steps[2])
  const namespace = inNamespace ? steps[1] : undefined
  const [plural = '', name, subresource, ...rest] = inNamespace ? steps.slice(2) : steps
  const resource = world.findKind(group, version, plural)
  if (resource === undefined || (name !== undefined && resource.namespaced !== inNamespace)) {
    return { kind: 'Unknown', isServed }
  }
  if (name === undefined || name === '') return { kind: 'Collection', resource, namespace }
  return { kind: 'Object', resource, namespace, name, subresource, rest: rest.map((step) => `/${step}`).join('') }
}

function isSubresourceOfNamespace(step: string | undefined): boolean {
  return step === 'status' || step === 'finalize'
}

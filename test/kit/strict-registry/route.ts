/** Which endpoint of the distribution specification a request is for. */
export type Route =
  | { readonly kind: 'Ping' | 'Token' }
  | { readonly kind: 'BlobHead' | 'BlobGet'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'UploadPost'; readonly repository: string }
  | UploadRoute
  | {
      readonly kind: 'ManifestHead' | 'ManifestGet' | 'ManifestPut'
      readonly repository: string
      readonly reference: string
    }
  | { readonly kind: 'Referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'Unknown'; readonly code: 'UNSUPPORTED' | 'NAME_INVALID'; readonly why: string }

export interface UploadRoute {
  readonly kind: 'UploadGet' | 'UploadPatch' | 'UploadPut' | 'UploadDelete'
  readonly repository: string
  readonly upload: string
}

/** `Redirected` arrives at the second server. */
export type RequestKind = Route['kind'] | 'Redirected'

export const repositoryPattern = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
export const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

const blobKinds = new Map([
  ['HEAD', 'BlobHead'],
  ['GET', 'BlobGet'],
] as const)
const uploadKinds = new Map([
  ['GET', 'UploadGet'],
  ['PATCH', 'UploadPatch'],
  ['PUT', 'UploadPut'],
  ['DELETE', 'UploadDelete'],
] as const)
const manifestKinds = new Map([
  ['HEAD', 'ManifestHead'],
  ['GET', 'ManifestGet'],
  ['PUT', 'ManifestPut'],
] as const)

export function parseRoute(method: string, path: string): Route {
  if (path === '/v2/' && method === 'GET') return { kind: 'Ping' }
  if (path === '/token' && (method === 'GET' || method === 'POST')) return { kind: 'Token' }
  const [, repository = '', folder, rest = ''] =
    /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|referrers)\/([^/]*)$/.exec(path) ?? []
  if (folder === undefined) return { kind: 'Unknown', code: 'UNSUPPORTED', why: 'no such endpoint' }
  if (!repositoryPattern.test(repository))
    return { kind: 'Unknown', code: 'NAME_INVALID', why: `\`${repository}\` is no name of a repository` }
  const unknown = { kind: 'Unknown', code: 'UNSUPPORTED', why: `${method} is not for ${folder}` } as const
  if (folder === 'blobs/uploads') {
    if (rest === '') return method === 'POST' ? { kind: 'UploadPost', repository } : unknown
    const kind = lookUp(uploadKinds, method)
    return kind === undefined ? unknown : { kind, repository, upload: rest }
  }
  if (folder === 'blobs') {
    const kind = lookUp(blobKinds, method)
    return kind === undefined ? unknown : { kind, repository, digest: rest }
  }
  if (folder === 'manifests') {
    const kind = lookUp(manifestKinds, method)
    return kind === undefined ? unknown : { kind, repository, reference: rest }
  }
  return method === 'GET' ? { kind: 'Referrers', repository, digest: rest } : unknown
}

function lookUp<T>(kinds: ReadonlyMap<string, T>, method: string): T | undefined {
  return kinds.get(method)
}

import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import { type Descriptor, type Digest, digestOf, isDocumentType, mediaTypes } from '../oci/descriptor.ts'
import { maxDocumentBytes, readOwnType } from '../oci/document.ts'
import type { Answer } from './http/exchange.ts'
import type { Registry } from './registry.ts'

const acceptedTypes = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(
  ', ',
)

/** A manifest as the registry has it: these very bytes have this digest. */
export interface FetchedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** With which a change can be made conditional. */
  readonly etag?: string
}

/** By tag or digest. TL_IMAGE_MISSING, TL_BLOB_MISMATCH, TL_IMAGE_UNREADABLE, TL_REGISTRY_…. */
export async function fetchManifest(
  registry: Registry,
  repository: string,
  name: string,
  signal?: AbortSignal,
): Promise<FetchedManifest> {
  const found = await findManifest(registry, repository, name, signal)
  if (found !== undefined) return found
  throw new TowlineError(
    'TL_IMAGE_MISSING',
    `${registry.host} has no ${repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`,
    {
      hint: 'check the name and the tag',
    },
  )
}

/** Undefined when there is none of this name. */
export async function findManifest(
  registry: Registry,
  repository: string,
  name: string,
  signal?: AbortSignal,
): Promise<FetchedManifest | undefined> {
  const answer = await registry.send({
    repository,
    access: 'Pull',
    method: 'GET',
    at: `manifests/${name}`,
    headers: { accept: acceptedTypes },
    maxAnswerBytes: maxDocumentBytes,
    ...(signal === undefined ? {} : { signal }),
  })
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw registry.failure(answer, `the request for the manifest ${repository} ${name}`)
  const bytes = answer.body
  const digest = digestOf(bytes)
  const expected = name.startsWith('sha256:') ? name : answer.headers['docker-content-digest']
  if (typeof expected === 'string' && expected.startsWith('sha256:') && expected !== digest)
    throw new TowlineError(
      'TL_BLOB_MISMATCH',
      `${registry.host} names ${repository} ${name} ${oneLine(expected)} and sends ${digest}`,
    )
  const { etag } = answer.headers
  return {
    descriptor: { mediaType: typeOf(answer, `${repository} ${name}`), digest, size: bytes.length },
    bytes,
    ...(typeof etag === 'string' ? { etag } : {}),
  }
}

/** Whether a repository has exactly this manifest, of this type if it is known. TL_REGISTRY_…. */
export async function hasManifest(
  registry: Registry,
  { repository, access }: { readonly repository: string; readonly access: 'Pull' | 'Push' },
  { digest, mediaType = acceptedTypes }: { readonly digest: Digest; readonly mediaType?: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const at = `manifests/${digest}`
  // Without Accept some registries say of an OCI manifest that it is not there.
  const headers = { accept: mediaType }
  const more = signal === undefined ? {} : { signal }
  const answer = await registry.send({ repository, access, method: 'HEAD', at, headers, ...more })
  if (answer.status === 200) return true
  if (answer.status === 404) return false
  throw registry.failure(answer, `the question for ${digest} in ${repository}`)
}

/** Puts these bytes under a tag or their digest. TL_BLOB_MISMATCH when the registry understood others. */
export async function putManifest(
  registry: Registry,
  repository: string,
  name: string,
  { descriptor, bytes }: FetchedManifest,
  more: { readonly signal?: AbortSignal; readonly ifMatch?: string } = {},
): Promise<Answer> {
  const { signal, ifMatch } = more
  const answer = await registry.send({
    repository,
    access: 'Push',
    method: 'PUT',
    at: `manifests/${name}`,
    headers: { 'content-type': descriptor.mediaType, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
    body: { bytes },
    ...(signal === undefined ? {} : { signal }),
  })
  if (answer.status === 412 && ifMatch !== undefined) return answer
  if (answer.status !== 201) throw registry.failure(answer, `the manifest ${repository} ${name}`)
  checkStored(registry.host, repository, name, answer, descriptor.digest)
  return answer
}

function checkStored(host: string, repository: string, name: string, answer: Answer, digest: Digest): void {
  const stored = answer.headers['docker-content-digest']
  if (stored === undefined || stored === digest) return
  throw new TowlineError(
    'TL_BLOB_MISMATCH',
    `${host} took ${repository} ${name} as ${oneLine(String(stored))}, and ${digest} was sent`,
  )
}

/** Some registries and caches give a type of their own; then the document says it. */
function typeOf({ headers, body }: Answer, name: string): string {
  const stated =
    String(headers['content-type'] ?? '')
      .split(';')[0]
      ?.trim()
      .toLowerCase() ?? ''
  if (isDocumentType(stated)) return stated
  const own = readOwnType(body, name)
  if (own !== undefined && isDocumentType(own)) return own
  throw new TowlineError(
    'TL_IMAGE_UNREADABLE',
    `${name} is of the type ${oneLine(own ?? stated) || 'unknown'}, and no image or index`,
  )
}

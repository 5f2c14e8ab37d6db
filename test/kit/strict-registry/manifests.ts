import {
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isIndexType,
  isManifestType,
} from '../../../src/image/oci/descriptor.ts'
import type { Index, Manifest } from '../../../src/image/oci/manifest.ts'
import { type Answer, type Exchange, errorAnswer, readWhole, recordViolation, refuse } from './exchange.ts'
import { tagPattern } from './route.ts'
import { type HeldManifest, type Repository, findManifest, findMissing, openRepository } from './state.ts'

const leastLimitBytes = 4 << 20

/** HEAD and GET. What the client does not accept is 404, as distribution 2.8 answers. */
export function giveManifest(exchange: Exchange, repository: string, reference: string): Answer {
  const { state, request, options } = exchange
  const manifest = findManifest(state, repository, reference)
  const accepted = (request.headers.accept ?? '').split(',').map((type) => type.split(';')[0]?.trim())
  if (manifest === undefined || !accepted.includes(manifest.mediaType)) {
    const accepts = manifest === undefined ? '' : ' of a type that was asked for'
    return errorAnswer(404, 'MANIFEST_UNKNOWN', `${repository} has no ${reference}${accepts}`)
  }
  return {
    status: 200,
    headers: {
      'content-type': manifest.mediaType,
      'docker-content-digest': manifest.digest,
      ...(options.etags === true ? { etag: `"${manifest.digest}"` } : {}),
    },
    body: manifest.bytes,
  }
}

export async function takeManifest(exchange: Exchange, repository: string, reference: string): Promise<Answer> {
  const { options, contentLength, state, request } = exchange
  if (contentLength === undefined) {
    return refuse(exchange, 'ContentLengthMissing', 'SIZE_INVALID', 'a manifest needs Content-Length')
  }
  const bytes = await readWhole(exchange, options.maxManifestBytes ?? leastLimitBytes)
  if (bytes === undefined) return errorAnswer(413, 'SIZE_INVALID', `${contentLength} bytes are too many for a manifest`)
  const digest = digestOf(bytes)
  if (reference.includes(':') && reference !== digest) {
    return refuse(exchange, 'DigestMismatch', 'DIGEST_INVALID', `the manifest is ${digest} and was put at ${reference}`)
  }
  if (!reference.includes(':') && !tagPattern.test(reference)) {
    return refuse(exchange, 'TagInvalid', 'MANIFEST_INVALID', `\`${reference}\` is no tag`)
  }
  const content = parseManifest(exchange, bytes)
  if ('status' in content) return content
  const held = openRepository(state, repository)
  const refused = checkReferences(exchange, held, content, reference)
  if (refused !== undefined) return refused
  if (options.etags === true && !isMatch(request.headers['if-match'], held.tags.get(reference))) {
    return errorAnswer(412, 'DENIED', `${reference} has changed`)
  }
  held.manifests.set(digest, { digest, bytes, ...content })
  if (!isDigest(reference)) held.tags.set(reference, digest)
  const { subject } = content.content
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${reference}`,
      'docker-content-digest': digest,
      ...(subject === undefined || options.referrers === 'None' ? {} : { 'oci-subject': subject.digest }),
    },
  }
}

function isMatch(condition: string | undefined, current: Digest | undefined): boolean {
  return condition === undefined || condition === `"${current}"`
}

type Parsed = Pick<HeldManifest, 'mediaType' | 'content'>

function parseManifest(exchange: Exchange, bytes: Buffer): Parsed | Answer {
  const mediaType = exchange.request.headers['content-type'] ?? ''
  let content: Partial<Manifest & Index>
  try {
    content = JSON.parse(bytes.toString())
  } catch {
    return refuse(exchange, 'ManifestInvalid', 'MANIFEST_INVALID', 'the manifest is no JSON')
  }
  if (content.mediaType !== undefined && content.mediaType !== mediaType) {
    const detail = `Content-Type is \`${mediaType}\` and the manifest says \`${content.mediaType}\``
    return refuse(exchange, 'ContentType', 'MANIFEST_INVALID', detail)
  }
  const named = isIndexType(mediaType) ? content.manifests : [content.config, ...(content.layers ?? [undefined])]
  const isKnown = isIndexType(mediaType) || isManifestType(mediaType)
  if (!isKnown || content.schemaVersion !== 2 || named?.every(isDescriptor) !== true) {
    return refuse(exchange, 'ManifestInvalid', 'MANIFEST_INVALID', `this is no \`${mediaType}\``)
  }
  if (content.subject !== undefined && !isDescriptor(content.subject)) {
    return refuse(exchange, 'ManifestInvalid', 'MANIFEST_INVALID', 'the subject is no descriptor')
  }
  return { mediaType, content: content as Manifest | Index }
}

function isDescriptor(value: Partial<Descriptor> | undefined): value is Descriptor {
  return typeof value?.mediaType === 'string' && isDigest(value.digest ?? '') && Number.isSafeInteger(value.size)
}

/** All that the manifest names must be here, with the size it states; the subject may come later. */
function checkReferences(
  exchange: Exchange,
  held: Repository,
  manifest: Parsed,
  reference: string,
): Answer | undefined {
  const missing = findMissing(held, manifest)
  if (missing.length > 0) {
    if (!isDigest(reference))
      recordViolation(exchange, 'TagOnMissingBlobs', `${reference} would lack ${missing.join(', ')}`)
    return refuse(exchange, 'ManifestBlobUnknown', 'MANIFEST_BLOB_UNKNOWN', `not here: ${missing.join(', ')}`)
  }
  const { content } = manifest
  const named = 'manifests' in content ? content.manifests : [content.config, ...content.layers]
  const wrong = named.find(({ digest, size }) => size !== sizeOf(held, digest))
  if (wrong === undefined) return undefined
  const detail = `${wrong.digest} has ${sizeOf(held, wrong.digest)} bytes and not ${wrong.size}`
  return refuse(exchange, 'SizeMismatch', 'MANIFEST_INVALID', detail)
}

function sizeOf({ blobs, manifests }: Repository, digest: Digest): number | undefined {
  return (manifests.get(digest)?.bytes ?? blobs.get(digest))?.length
}

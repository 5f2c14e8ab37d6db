import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, isIndexType, isManifestType, mediaTypes } from '../oci/descriptor.ts'
import { maxDocumentBytes, parseIndex, parseManifest, readDocument } from '../oci/document.ts'
import { type Manifest, encodeDocument } from '../oci/manifest.ts'
import { uploadBlob } from './blob-upload.ts'
import type { Answer } from './http/exchange.ts'
import { maxTries } from './http/retry.ts'
import { fetchManifest, findManifest, putManifest } from './manifests.ts'
import { forEachOf } from './parallel.ts'
import { type Reference, formatReference, tagOf } from './reference.ts'
import { type Registry, checkHost } from './registry.ts'

/** Something said about an image: an SBOM, a signature. */
export interface Referrer {
  /** Of a manifest whose `subject` is the image. */
  readonly descriptor: Descriptor
  readonly blobs: BlobReader
}

export interface AttachReport {
  readonly digest: Digest
  readonly artifactType: string
  /** `Tag`: the registry keeps no lists of referrers, so that an index under the tag `sha256-…` does. */
  readonly listedBy: 'Registry' | 'Tag'
}

const uploadsAtOnce = 4
const maxPages = 100

/**
 * Puts a referrer beside what it is about, in `target`'s repository. Attaching it twice changes nothing. TL_REGISTRY_…,
 * TL_IMAGE_UNREADABLE when the manifest has no subject, TL_REFERENCE_INVALID when it has another one than `target` names.
 */
export async function attachReferrer(registry: Registry, target: Reference, referrer: Referrer): Promise<AttachReport> {
  checkHost(registry, target)
  const { repository } = target
  const { descriptor, blobs } = referrer
  const { mediaType, digest, size } = descriptor
  const bytes = await readDocument(descriptor, blobs)
  const manifest = isManifestType(mediaType) ? parseManifest(bytes, mediaType, digest) : undefined
  const subject = manifest?.subject
  if (manifest === undefined || subject === undefined)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `the manifest ${digest} says nothing about another: no subject`)
  if (target.digest !== undefined && target.digest !== subject.digest)
    throw new TowlineError(
      'TL_REFERENCE_INVALID',
      `${formatReference(target)} is not the subject, which is ${subject.digest}`,
    )
  const needed = new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob]))
  await forEachOf([...needed.values()], uploadsAtOnce, registry.signal, async (blob, signal) => {
    await uploadBlob(registry, {
      repository,
      descriptor: blob,
      blobs,
      mountFrom: [],
      signal,
      onProgress: () => undefined,
    })
  })
  const more = registry.signal === undefined ? {} : { signal: registry.signal }
  const answer = await putManifest(registry, repository, digest, { descriptor, bytes }, more)
  const artifactType = typeOf(manifest)
  if (answer.headers['oci-subject'] !== undefined) return { digest, artifactType, listedBy: 'Registry' }
  const { annotations } = manifest
  const entry = { mediaType, digest, size, artifactType, ...(annotations === undefined ? {} : { annotations }) }
  await listUnderTag(registry, repository, subject.digest, entry)
  return { digest, artifactType, listedBy: 'Tag' }
}

/** As a list of referrers says it. */
function typeOf({ artifactType = '', config }: Manifest): string {
  return artifactType === '' ? config.mediaType : artifactType
}

/** What refers to an image: of the registry's own list, else of the index under its tag. TL_REGISTRY_…. */
export async function listReferrers(
  registry: Registry,
  reference: Reference,
  artifactType?: string,
): Promise<readonly Descriptor[]> {
  checkHost(registry, reference)
  const { repository } = reference
  const digest =
    reference.digest ??
    (await fetchManifest(registry, repository, tagOf(reference) ?? 'latest', registry.signal)).descriptor.digest
  const isWanted = (entry: Descriptor): boolean => artifactType === undefined || entry.artifactType === artifactType
  const found: Descriptor[] = []
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  let at: string | URL | undefined = `referrers/${digest}${query}`
  for (let page = 0; at !== undefined; page++) {
    if (page === maxPages)
      throw new TowlineError(
        'TL_REGISTRY_FAILED',
        `${registry.host} lists referrers of ${digest} on more than ${maxPages} pages`,
      )
    const request = { repository, access: 'Pull', method: 'GET', at, maxAnswerBytes: maxDocumentBytes } as const
    const answer: Answer = await registry.send({ ...request, headers: { accept: mediaTypes.index } })
    if (answer.status === 404 && page === 0) return (await readTagIndex(registry, repository, digest)).filter(isWanted)
    if (answer.status !== 200) throw registry.failure(answer, `the list of referrers of ${digest}`)
    const { manifests } = parseIndex(answer.body, mediaTypes.index, `the list of referrers of ${digest}`)
    // A registry may have filtered; doing it again changes nothing then.
    found.push(...manifests.filter(isWanted))
    at = nextPage(answer)
  }
  return found
}

async function readTagIndex(registry: Registry, repository: string, digest: Digest): Promise<readonly Descriptor[]> {
  const found = await findManifest(registry, repository, fallbackTag(digest), registry.signal)
  if (found === undefined) return []
  const { mediaType } = found.descriptor
  return isIndexType(mediaType) ? parseIndex(found.bytes, mediaType, fallbackTag(digest)).manifests : []
}

/** Reads, adds, writes, until a reading shows it: somebody else may write the same index at the same time. */
async function listUnderTag(registry: Registry, repository: string, subject: Digest, entry: Descriptor): Promise<void> {
  const tag = fallbackTag(subject)
  for (let writes = 0; ; writes++) {
    const found = await findManifest(registry, repository, tag, registry.signal)
    if (found !== undefined && found.descriptor.mediaType !== mediaTypes.index)
      throw new TowlineError(
        'TL_REGISTRY_FAILED',
        `${repository} ${tag} is no list of referrers but ${found.descriptor.mediaType}`,
      )
    const index = found === undefined ? undefined : parseIndex(found.bytes, mediaTypes.index, tag)
    const listed = index?.manifests ?? []
    if (listed.some(({ digest }) => digest === entry.digest)) return
    if (writes === maxTries)
      throw new TowlineError(
        'TL_REGISTRY_FAILED',
        `${repository} ${tag} is changed by others as soon as ${entry.digest} is in it`,
        {
          hint: 'try again',
        },
      )
    // Of what others wrote all stays.
    const next = { schemaVersion: 2, mediaType: mediaTypes.index, ...index, manifests: [...listed, entry] }
    const { descriptor, bytes } = encodeDocument(mediaTypes.index, next)
    const ifMatch = found?.etag === undefined ? {} : { ifMatch: found.etag }
    const more = registry.signal === undefined ? {} : { signal: registry.signal }
    await putManifest(registry, repository, tag, { descriptor, bytes }, { ...more, ...ifMatch })
  }
}

function fallbackTag(digest: Digest): string {
  return digest.replace(':', '-')
}

/** `Link: </v2/…?n=2>; rel="next"`. */
function nextPage({ headers, url }: Answer): URL | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(String(headers['link'] ?? ''))?.[1]
  return target !== undefined && URL.canParse(target, url.href) ? new URL(target, url) : undefined
}

import { canonicalJson } from '../../base/canonical.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../oci/descriptor.ts'
import { uploadBlob } from './blob-upload.ts'
import type { Answer } from './http/exchange.ts'
import { maxTries } from './http/retry.ts'
import { maxManifestBytes, readDocument, readLinks, readList } from './manifest-tree.ts'
import { fetchManifest, findManifest, putManifest } from './manifests.ts'
import { forEachOf } from './parallel.ts'
import { type Reference, formatReference, tagOf } from './reference.ts'
import { type Registry, checkHost } from './registry.ts'

/** Something said about an image: an SBOM, a signature. */
export interface Referrer {
  /** Of a manifest whose `subject` is the image. */
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly blobs: BlobReader
}

export interface AttachReport {
  readonly digest: Digest
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
  const { descriptor, bytes, blobs } = referrer
  const links = readLinks(bytes, descriptor.mediaType, descriptor.digest)
  const subject = links.kind === 'Image' ? links.subject : undefined
  if (links.kind !== 'Image' || subject === undefined)
    throw new TowlineError(
      'TL_IMAGE_UNREADABLE',
      `the manifest ${descriptor.digest} says nothing about another: no subject`,
    )
  if (target.digest !== undefined && target.digest !== subject.digest)
    throw new TowlineError(
      'TL_REFERENCE_INVALID',
      `${formatReference(target)} is not the subject, which is ${subject.digest}`,
    )
  const needed = new Map([...links.layers, links.config].map((blob) => [blob.digest, blob]))
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
  const answer = await putManifest(registry, repository, descriptor.digest, { descriptor, bytes }, more)
  if (answer.headers['oci-subject'] !== undefined) return { digest: descriptor.digest, listedBy: 'Registry' }
  const { mediaType, digest, size } = descriptor
  const { artifactType, annotations } = links
  const entry = { mediaType, digest, size, artifactType, ...(annotations === undefined ? {} : { annotations }) }
  await listUnderTag(registry, repository, subject.digest, entry)
  return { digest, listedBy: 'Tag' }
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
    const request = { repository, access: 'Pull', method: 'GET', at, maxAnswerBytes: maxManifestBytes } as const
    const answer: Answer = await registry.send({ ...request, headers: { accept: mediaTypes.index } })
    if (answer.status === 404 && page === 0) return (await readTagIndex(registry, repository, digest)).filter(isWanted)
    if (answer.status !== 200) throw registry.failure(answer, `the list of referrers of ${digest}`)
    const name = `of the referrers of ${digest}`
    // A registry may have filtered; doing it again changes nothing then.
    found.push(...readList(readDocument(answer.body, name)['manifests'], name, 'manifests').filter(isWanted))
    at = nextPage(answer)
  }
  return found
}

async function readTagIndex(registry: Registry, repository: string, digest: Digest): Promise<readonly Descriptor[]> {
  const found = await findManifest(registry, repository, fallbackTag(digest), registry.signal)
  if (found === undefined) return []
  const links = readLinks(found.bytes, found.descriptor.mediaType, fallbackTag(digest))
  return links.kind === 'Index' ? links.manifests : []
}

/** Reads, adds, writes, until a reading shows it: somebody else may write the same index at the same time. */
async function listUnderTag(registry: Registry, repository: string, subject: Digest, entry: Descriptor): Promise<void> {
  const tag = fallbackTag(subject)
  for (let writes = 0; ; writes++) {
    const found = await findManifest(registry, repository, tag, registry.signal)
    const index = found === undefined ? undefined : readDocument(found.bytes, tag)
    if (found !== undefined && found.descriptor.mediaType !== mediaTypes.index)
      throw new TowlineError(
        'TL_REGISTRY_FAILED',
        `${repository} ${tag} is no list of referrers but ${found.descriptor.mediaType}`,
      )
    const listed = index === undefined ? [] : readList(index['manifests'], tag, 'manifests')
    if (listed.some(({ digest }) => digest === entry.digest)) return
    if (writes === maxTries)
      throw new TowlineError(
        'TL_REGISTRY_FAILED',
        `${repository} ${tag} is changed by others as soon as ${entry.digest} is in it`,
        {
          hint: 'try again',
        },
      )
    // What others wrote stays as they wrote it.
    const before = { schemaVersion: 2, mediaType: mediaTypes.index, ...index }
    const manifests = [...((index?.['manifests'] ?? []) as unknown[]), entry]
    const bytes = Buffer.from(canonicalJson({ ...before, manifests }))
    const descriptor = { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length }
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

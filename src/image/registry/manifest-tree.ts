import { TowlineError } from '../../base/errors.ts'
import { type Descriptor, type Platform, isDigest, isIndexType, isManifestType, mediaTypes } from '../oci/descriptor.ts'

/** The largest manifest that is read, and that registries have to take. */
export const maxManifestBytes = 4 << 20

/** What a manifest leads to. The bytes stay what they are: nothing here is written out again. */
export type ManifestLinks =
  | { readonly kind: 'Index'; readonly manifests: readonly Descriptor[] }
  | {
      readonly kind: 'Image'
      readonly config: Descriptor
      readonly layers: readonly Descriptor[]
      /** What it is, as an entry of a list of referrers says it. */
      readonly artifactType: string
      readonly annotations?: Readonly<Record<string, string>>
      readonly subject?: Descriptor
    }

export const acceptedManifests = [
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
].join(', ')

export function isManifestLike(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType)
}

/** TL_IMAGE_UNREADABLE with what is wrong; `name` says which manifest it is. */
export function readLinks(bytes: Uint8Array, mediaType: string, name: string): ManifestLinks {
  const document = readDocument(bytes, name)
  const stated = document['mediaType']
  // One document must not be read as two things, by whom it suits.
  if (stated !== undefined && stated !== mediaType)
    throw unreadable(name, `it is named ${mediaType} and calls itself ${JSON.stringify(stated)}`)
  if (document['schemaVersion'] !== 2)
    throw unreadable(name, `its schemaVersion is ${JSON.stringify(document['schemaVersion'])}, only 2 is read`)
  const isIndex = isIndexType(mediaType)
  if (!isIndex && !isManifestType(mediaType)) throw unreadable(name, `it is of the type ${mediaType}`)
  if (isIndex ? 'layers' in document || 'config' in document : 'manifests' in document)
    throw unreadable(name, 'it is an index and an image at once')
  if (isIndex) return { kind: 'Index', manifests: readList(document['manifests'], name, 'manifests') }
  const config = readDescriptor(document['config'], name, 'config')
  const { artifactType, annotations, subject } = document
  return {
    kind: 'Image',
    config,
    layers: readList(document['layers'], name, 'layers'),
    artifactType: typeof artifactType === 'string' && artifactType !== '' ? artifactType : config.mediaType,
    ...(isTexts(annotations) ? { annotations } : {}),
    ...(subject === undefined || subject === null ? {} : { subject: readDescriptor(subject, name, 'subject') }),
  }
}

/** A JSON object. TL_IMAGE_UNREADABLE. */
export function readDocument(bytes: Uint8Array, name: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw unreadable(name, 'it is no JSON', cause)
  }
  if (!isRecord(value)) throw unreadable(name, 'it is no JSON object')
  return value
}

export function readList(value: unknown, name: string, field: string): Descriptor[] {
  if (!Array.isArray(value)) throw unreadable(name, `${field} is no list`)
  return value.map((item, index) => readDescriptor(item, name, `${field}[${index}]`))
}

function readDescriptor(value: unknown, name: string, field: string): Descriptor {
  if (!isRecord(value)) throw unreadable(name, `${field} is no descriptor`)
  const { mediaType, digest, size, annotations, platform, artifactType } = value
  if (typeof mediaType !== 'string' || mediaType === '') throw unreadable(name, `${field} has no mediaType`)
  if (typeof digest !== 'string' || !isDigest(digest))
    throw unreadable(name, `${field} has the digest ${JSON.stringify(digest)}, only sha256 is read`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw unreadable(name, `${field} has the size ${JSON.stringify(size)}`)
  return {
    mediaType,
    digest,
    size,
    ...(isTexts(annotations) ? { annotations } : {}),
    ...(isPlatform(platform) ? { platform } : {}),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'string')
}

function isPlatform(value: unknown): value is Platform {
  return isRecord(value) && typeof value['os'] === 'string' && typeof value['architecture'] === 'string'
}

function unreadable(name: string, why: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_IMAGE_UNREADABLE', `the manifest ${name}: ${why}`, { cause })
}

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, mediaTypes } from '../oci/descriptor.ts'
import { encodeDocument } from '../oci/manifest.ts'
import { type ArchiveFiles, listArchive } from './archive-files.ts'
import { configForm, indexForm, maxDocumentBytes, parseDocument } from '../oci/document.ts'
import { type ImageShelf, type NamedReference, chooseReference, nameOf } from './reference-list.ts'

const text = z.string()
const listForm = z
  .array(z.looseObject({ Config: text, RepoTags: z.array(text).default([]), Layers: z.array(text).default([]) }))
  .min(1)

/** Where containerd puts the whole name; the usual place has the tag alone then. */
const containerdNameKey = 'io.containerd.image.name'

/**
 * The images of a file that `docker save` wrote, read where they lie: as Docker 25 and later do it, an OCI layout in a tar
 * archive, or in the older form, whose layers are hashed here once to make a manifest for them. TL_FILE_MISSING,
 * TL_IMAGE_UNREADABLE.
 */
export async function openDockerArchive(archive: string): Promise<ImageShelf> {
  const files = await listArchive(archive)
  if (files.has('oci-layout') && files.has('index.json')) return shelve(archive, await readOciForm(files))
  if (files.has('manifest.json')) return shelve(archive, await readOldForm(files))
  throw new TowlineError('TL_IMAGE_UNREADABLE', `${archive} has neither index.json nor manifest.json`, {
    hint: 'name a file that `docker save` wrote',
  })
}

interface Content {
  readonly references: readonly NamedReference[]
  readonly blobs: BlobReader
}

function shelve(archive: string, { references, blobs }: Content): ImageShelf {
  return { blobs, references: () => references, resolve: (name) => chooseReference(references, name, archive) }
}

async function readOciForm(files: ArchiveFiles): Promise<Content> {
  const pathOf = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`
  const index = parseDocument(await readWhole(files, 'index.json'), indexForm, `${files.archive}: index.json`)
  const references = (index.manifests as readonly Descriptor[]).map((descriptor) => ({
    name: descriptor.annotations?.[containerdNameKey] ?? nameOf(descriptor),
    descriptor,
  }))
  const blobs: BlobReader = {
    has: (digest) => Promise.resolve(files.has(pathOf(digest))),
    open: ({ digest }, startByte) => files.open(pathOf(digest), startByte),
  }
  return { references, blobs }
}

async function readOldForm(files: ArchiveFiles): Promise<Content> {
  const list = parseDocument(await readWhole(files, 'manifest.json'), listForm, `${files.archive}: manifest.json`)
  const paths = new Map<Digest, string>()
  const made = new Map<Digest, Uint8Array>()
  const hashed = new Map<string, Descriptor>()
  const references: NamedReference[] = []
  for (const { Config, RepoTags, Layers } of list) {
    const place = `${files.archive}: ${Config}`
    const diffIds = parseDocument(await readWhole(files, Config), configForm, place).rootfs.diff_ids
    if (diffIds.length !== Layers.length)
      throw new TowlineError(
        'TL_IMAGE_UNREADABLE',
        `${place} has ${diffIds.length} layers, and the archive ${Layers.length}`,
      )
    for (const path of [Config, ...Layers]) if (!hashed.has(path)) hashed.set(path, await describeFile(files, path))
    const layers = Layers.map((path) => hashed.get(path) as Descriptor)
    const damaged = layers.findIndex(
      ({ mediaType, digest }, at) => mediaType === mediaTypes.layer && digest !== diffIds[at],
    )
    if (damaged !== -1)
      throw new TowlineError(
        'TL_BLOB_MISMATCH',
        `${files.archive}: ${Layers[damaged]} is not the layer ${diffIds[damaged]}`,
      )
    const config = { ...(hashed.get(Config) as Descriptor), mediaType: mediaTypes.config }
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
    const { descriptor, bytes } = encodeDocument(mediaTypes.manifest, manifest)
    made.set(descriptor.digest, bytes)
    paths.set(config.digest, Config)
    for (const [at, { digest }] of layers.entries()) paths.set(digest, Layers[at] ?? '')
    const names: readonly (string | undefined)[] = RepoTags.length === 0 ? [undefined] : RepoTags
    references.push(...names.map((name) => ({ name, descriptor })))
  }
  const blobs: BlobReader = {
    has: (digest) => Promise.resolve(made.has(digest) || paths.has(digest)),
    open: ({ digest }, startByte = 0) => {
      const bytes = made.get(digest)
      return bytes === undefined ? files.open(paths.get(digest) ?? digest, startByte) : once(bytes.subarray(startByte))
    },
  }
  return { references, blobs }
}

/** A layer is a tar archive, and its first bytes tell how it is compressed. */
async function describeFile(files: ArchiveFiles, path: string): Promise<Descriptor> {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  for await (const chunk of files.open(path)) {
    if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)])
    hash.update(chunk)
  }
  const hex = head.toString('hex')
  const mediaType = hex.startsWith('1f8b')
    ? mediaTypes.layerGzip
    : hex.startsWith('28b52ffd')
      ? mediaTypes.layerZstd
      : mediaTypes.layer
  return { mediaType, digest: `sha256:${hash.digest('hex')}`, size: files.sizeOf(path) ?? 0 }
}

async function readWhole(files: ArchiveFiles, path: string): Promise<Uint8Array> {
  const sizeBytes = files.sizeOf(path) ?? 0
  if (sizeBytes > maxDocumentBytes)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${files.archive}: ${path} has ${sizeBytes} bytes`)
  const chunks: Uint8Array[] = []
  for await (const chunk of files.open(path)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

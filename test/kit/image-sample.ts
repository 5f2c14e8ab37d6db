import { gzipSync, zstdCompressSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import type { BlobStore } from '../../src/image/oci/blobs.ts'
import { type Descriptor, type Digest, type Platform, digestOf, mediaTypes } from '../../src/image/oci/descriptor.ts'
import { type HistoryEntry, type RunConfig, encodeDocument } from '../../src/image/oci/manifest.ts'

/** A path with its text; a path that ends in `/` is a folder; `link` is the target of a symbolic link. */
export type SampleFile = readonly [path: string, text: string] | readonly [path: string, link: { readonly to: string }]

export interface SampleImage {
  readonly descriptor: Descriptor
  readonly layers: readonly Descriptor[]
}

export async function packSampleLayer(files: readonly SampleFile[]): Promise<Uint8Array> {
  const mtime = new Date(0)
  return await packTar(
    files.map(([name, content]) => {
      if (typeof content !== 'string')
        return { header: { name, type: 'symlink' as const, linkname: content.to, size: 0, mtime } }
      if (name.endsWith('/')) return { header: { name, type: 'directory' as const, size: 0, mtime } }
      return { header: { name, size: Buffer.byteLength(content), mtime }, body: content }
    }),
  )
}

export interface SampleOptions {
  readonly platform?: Platform
  readonly run?: RunConfig
  readonly history?: readonly HistoryEntry[]
  /** Of the layers, in turn. */
  readonly compression?: readonly ('gzip' | 'zstd' | 'none')[]
}

/** Keeps a small image of these layers, from the bottom to the top. */
export async function keepSampleImage(
  store: BlobStore,
  layers: readonly (readonly SampleFile[])[],
  { platform = { os: 'linux', architecture: 'amd64' }, run, history, compression = ['gzip'] }: SampleOptions = {},
): Promise<SampleImage> {
  const kept: { readonly descriptor: Descriptor; readonly diffId: Digest }[] = []
  for (const [at, files] of layers.entries()) {
    const tar = await packSampleLayer(files)
    const how = compression[at % compression.length] ?? 'gzip'
    const bytes = how === 'gzip' ? gzipSync(tar) : how === 'zstd' ? zstdCompressSync(tar) : tar
    const suffix = how === 'none' ? '' : `+${how}`
    kept.push({
      descriptor: await keepBytes(store, `${mediaTypes.layer}${suffix}`, bytes),
      diffId: digestOf(tar),
    })
  }
  const config = encodeDocument(mediaTypes.config, {
    ...platform,
    config: run,
    rootfs: { type: 'layers', diff_ids: kept.map(({ diffId }) => diffId) },
    history,
  })
  await store.put(config.descriptor, [config.bytes])
  const descriptors = kept.map(({ descriptor }) => descriptor)
  const manifest = encodeDocument(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: config.descriptor,
    layers: descriptors,
  })
  await store.put(manifest.descriptor, [manifest.bytes])
  return { descriptor: { ...manifest.descriptor, platform }, layers: descriptors }
}

export async function keepSampleIndex(store: BlobStore, manifests: readonly Descriptor[]): Promise<Descriptor> {
  const index = encodeDocument(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
  await store.put(index.descriptor, [index.bytes])
  return index.descriptor
}

/** An artifact with one small blob that says something about `subject`. */
export async function keepSampleArtifact(store: BlobStore, subject: Descriptor, text: string): Promise<Descriptor> {
  const empty = await keepBytes(store, mediaTypes.empty, Buffer.from('{}'))
  const layer = await keepBytes(store, 'application/vnd.cyclonedx+json', Buffer.from(text))
  const { platform: _, annotations: __, ...plain } = subject
  const manifest = encodeDocument(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/vnd.cyclonedx+json',
    config: empty,
    layers: [layer],
    subject: plain,
  })
  await store.put(manifest.descriptor, [manifest.bytes])
  return manifest.descriptor
}

async function keepBytes(store: BlobStore, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  await store.put(descriptor, [bytes])
  return descriptor
}

import type { BlobReader, BlobStore } from '../oci/blobs.ts'
import { type Descriptor, type Digest, type Platform } from '../oci/descriptor.ts'
import { type ImageNode, readTree } from '../oci/image-tree.ts'
import { chooseAmong, isRunnable, mayFit } from '../oci/platform-choice.ts'
import { downloadBlob } from './blob-download.ts'
import { type FetchedManifest, fetchManifest } from './manifests.ts'
import { forEachOf } from './parallel.ts'
import { type Reference, formatReference, tagOf } from './reference.ts'
import { type Registry, checkHost } from './registry.ts'

export interface PulledImage {
  /** What the reference names: an image or an index. */
  readonly root: Descriptor
  /** The images that were brought: one, or one for each platform. */
  readonly images: readonly Descriptor[]
}

const downloadsAtOnce = 4

/** What a tag or a digest leads to. TL_IMAGE_MISSING, TL_BLOB_MISMATCH, TL_IMAGE_UNREADABLE, TL_REGISTRY_…. */
export async function resolveManifest(registry: Registry, reference: Reference): Promise<FetchedManifest> {
  checkHost(registry, reference)
  const { repository, digest } = reference
  return await fetchManifest(registry, repository, digest ?? tagOf(reference) ?? 'latest', registry.signal)
}

/**
 * Copies an image with all it leads to into a store, which checks each digest; what the store has is not fetched. Of an index
 * every image, or with `platform` the one that fits: TL_IMAGE_MISSING, with those there are, when none does. An artifact
 * that stands alone is for no platform, and taken. TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH, TL_REGISTRY_….
 */
export async function pullImage(
  registry: Registry,
  reference: Reference,
  store: BlobStore,
  { platform }: { readonly platform?: Platform } = {},
): Promise<PulledImage> {
  const { repository } = reference
  const root = await resolveManifest(registry, reference)
  const nodes = await readTree(root.descriptor, async (descriptor) => {
    if (descriptor === root.descriptor) return root.bytes
    if (platform !== undefined && !mayFit(descriptor, platform)) return undefined
    return (await fetchManifest(registry, repository, descriptor.digest, registry.signal)).bytes
  })
  const keep = async (descriptor: Descriptor, signal = registry.signal): Promise<void> => {
    if (await store.has(descriptor.digest)) return
    await store.put(descriptor, downloadBlob(registry, repository, descriptor, 0, signal))
  }
  const wanted = platform === undefined ? nodes : await keepOne(nodes, platform, keptFirst(store, keep), reference)
  const blobs = new Map<Digest, Descriptor>()
  for (const node of wanted)
    if (node.kind === 'Manifest')
      for (const blob of [...node.manifest.layers, node.manifest.config]) blobs.set(blob.digest, blob)
    else if (node.kind === 'Blob') blobs.set(node.descriptor.digest, node.descriptor)
  await forEachOf([...blobs.values()], downloadsAtOnce, registry.signal, keep)
  // Last, so that a manifest in a store always leads to something there.
  for (const node of wanted)
    if ('bytes' in node && !(await store.has(node.descriptor.digest))) await store.put(node.descriptor, [node.bytes])
  const images = wanted.flatMap(({ kind, descriptor }) => (kind === 'Manifest' ? descriptor : []))
  return { root: root.descriptor, images }
}

/** The image of one platform and the indexes, without which nothing leads to it. */
async function keepOne(
  nodes: readonly ImageNode[],
  platform: Platform,
  blobs: BlobReader,
  reference: Reference,
): Promise<readonly ImageNode[]> {
  const root = nodes.at(-1)
  if (root?.kind === 'Manifest' && !isRunnable(root.descriptor, root.manifest)) return nodes
  const { descriptor } = await chooseAmong(nodes, platform, blobs, formatReference(reference))
  return nodes.filter((node) => node.kind === 'Index' || node.descriptor === descriptor)
}

/** Reads from the store what was brought there at that moment: it is needed there anyway. */
function keptFirst(store: BlobStore, keep: (descriptor: Descriptor) => Promise<void>): BlobReader {
  return {
    has: async (digest) => await store.has(digest),
    open: async function* (descriptor, startByte) {
      await keep(descriptor)
      yield* store.open(descriptor, startByte)
    },
  }
}

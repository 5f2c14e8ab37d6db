import { TowlineError } from '../../base/errors.ts'
import type { BlobStore } from '../oci/blobs.ts'
import { type Descriptor, type Digest, type Platform, formatPlatform, isManifestType } from '../oci/descriptor.ts'
import { downloadBlob, registryBlobs } from './blob-download.ts'
import { type ManifestLinks, isManifestLike, readLinks } from './manifest-tree.ts'
import { type FetchedManifest, fetchManifest } from './manifests.ts'
import { forEachOf } from './parallel.ts'
import { type Reference, formatReference, tagOf } from './reference.ts'
import { type Registry, checkHost } from './registry.ts'

export { registryBlobs }

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
 * every image, or with `platform` the one that fits: TL_IMAGE_MISSING, with those there are, when none does. An image
 * that stands alone is taken whatever its platform.
 */
export async function pullImage(
  registry: Registry,
  reference: Reference,
  store: BlobStore,
  { platform }: { readonly platform?: Platform } = {},
): Promise<PulledImage> {
  const { repository } = reference
  const root = await resolveManifest(registry, reference)
  const images: Descriptor[] = []
  const blobs = new Map<Digest, Descriptor>()
  const manifests: FetchedManifest[] = []

  const visit = async (manifest: FetchedManifest): Promise<void> => {
    const { descriptor, bytes } = manifest
    const links = readLinks(bytes, descriptor.mediaType, descriptor.digest)
    manifests.push(manifest)
    if (links.kind === 'Image') {
      images.push(descriptor)
      for (const blob of [...links.layers, links.config]) blobs.set(blob.digest, blob)
      return
    }
    for (const child of chooseChildren(links, platform, reference)) {
      if (!isManifestLike(child.mediaType)) blobs.set(child.digest, child)
      else {
        const fetched = await fetchManifest(registry, repository, child.digest, registry.signal)
        await visit({ ...fetched, descriptor: child })
      }
    }
  }

  await visit(root)
  await forEachOf([...blobs.values()], downloadsAtOnce, registry.signal, async (descriptor, signal) => {
    if (await store.has(descriptor.digest)) return
    await store.put(descriptor, downloadBlob(registry, repository, descriptor, 0, signal))
  })
  // Last, so that a manifest in a store always leads to something there.
  for (const { descriptor, bytes } of manifests.toReversed())
    if (!(await store.has(descriptor.digest))) await store.put(descriptor, [bytes])
  return { root: root.descriptor, images }
}

function chooseChildren(
  { manifests }: ManifestLinks & { readonly kind: 'Index' },
  platform: Platform | undefined,
  reference: Reference,
): readonly Descriptor[] {
  if (platform === undefined) return manifests
  const fitting = manifests.filter(
    (child) =>
      isManifestType(child.mediaType) &&
      child.platform?.os === platform.os &&
      child.platform.architecture === platform.architecture,
  )
  // Of arm64 there is one variant in use, and it is written or left out.
  const plain = (variant: string | undefined): string =>
    variant === 'v8' && platform.architecture === 'arm64' ? '' : (variant ?? '')
  const chosen =
    fitting.find((child) => plain(child.platform?.variant) === plain(platform.variant)) ??
    (platform.variant === undefined ? fitting[0] : undefined)
  if (chosen !== undefined) return [chosen]
  const there = [
    ...new Set(manifests.map((child) => (child.platform === undefined ? 'unnamed' : formatPlatform(child.platform)))),
  ]
  throw new TowlineError(
    'TL_IMAGE_MISSING',
    `${formatReference(reference)} is not made for ${formatPlatform(platform)}, only for ${there.join(', ') || 'nothing'}`,
  )
}

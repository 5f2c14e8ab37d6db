import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, digestOf } from '../oci/descriptor.ts'
import type { UploadProgress } from './blob-sending.ts'
import { type BlobReport, uploadBlob } from './blob-upload.ts'
import { isManifestLike, maxManifestBytes, readLinks } from './manifest-tree.ts'
import { type FetchedManifest, hasManifest, putManifest } from './manifests.ts'
import { forEachOf } from './parallel.ts'
import { type Reference, formatReference, tagOf } from './reference.ts'
import { type Registry, checkHost } from './registry.ts'

export interface PushOrder {
  /** An image, an artifact or an index of them. */
  readonly root: Descriptor
  readonly blobs: BlobReader
  /** Where neither tag nor digest is written, the tag `latest` is set; with a digest alone, none. */
  readonly target: Reference
  /** Repositories of the same registry that may have some of the blobs. */
  readonly mountFrom?: readonly string[]
}

export interface PushHooks {
  readonly onProgress?: (progress: UploadProgress) => void
  /** One blob or manifest is there. */
  readonly onStored?: (report: BlobReport) => void
}

export interface PushReport {
  readonly digest: Digest
  /** Undefined when the target names a digest alone. */
  readonly tag?: string
  /** Each once, in the order in which they were there; manifests too. */
  readonly blobs: readonly BlobReport[]
}

const uploadsAtOnce = 4

/**
 * Brings an image or an index to a registry: layers, then configs, manifests, the index, and the tag only when all is there,
 * so that no tag ever leads to something missing. What the registry has is not sent. Manifests go as they are, byte for byte.
 * TL_REGISTRY_…, TL_BLOB_MISMATCH, TL_IMAGE_UNREADABLE, TL_REFERENCE_INVALID; the signal's reason.
 */
export async function pushImage(registry: Registry, order: PushOrder, hooks: PushHooks = {}): Promise<PushReport> {
  const { root, blobs, target } = order
  checkHost(registry, target)
  if (target.digest !== undefined && target.digest !== root.digest)
    throw new TowlineError(
      'TL_REFERENCE_INVALID',
      `${formatReference(target)} names another digest than ${root.digest}`,
    )
  const plan = await planPush(root, blobs)
  const reports: BlobReport[] = []
  const { repository } = target
  const stored = (report: BlobReport): void => {
    reports.push(report)
    hooks.onStored?.(report)
  }
  for (const descriptors of [plan.layers, plan.configs])
    await forEachOf(descriptors, uploadsAtOnce, registry.signal, async (descriptor, signal) => {
      const onProgress = hooks.onProgress ?? (() => undefined)
      const mountFrom = order.mountFrom ?? []
      stored(await uploadBlob(registry, { repository, descriptor, blobs, mountFrom, signal, onProgress }))
    })
  for (const manifest of plan.manifests) stored(await pushManifest(registry, repository, manifest))
  const tag = tagOf(target)
  const rootManifest = plan.manifests.at(-1)
  if (tag === undefined || rootManifest === undefined) return { digest: root.digest, blobs: reports }
  await putManifest(registry, repository, tag, rootManifest)
  return { digest: root.digest, tag, blobs: reports }
}

export interface PushPlan {
  /** Each digest once. */
  readonly layers: readonly Descriptor[]
  readonly configs: readonly Descriptor[]
  /** Each digest once, whatever is named before what names it: the root comes last. */
  readonly manifests: readonly FetchedManifest[]
}

/** Reads the manifests under `root`. TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH. */
export async function planPush(root: Descriptor, blobs: BlobReader): Promise<PushPlan> {
  const layers = new Map<Digest, Descriptor>()
  const configs = new Map<Digest, Descriptor>()
  const manifests = new Map<Digest, FetchedManifest>()

  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (manifests.has(descriptor.digest)) return
    const bytes = await readManifest(descriptor, blobs)
    const links = readLinks(bytes, descriptor.mediaType, descriptor.digest)
    if (links.kind === 'Image') {
      for (const layer of links.layers) layers.set(layer.digest, layer)
      configs.set(links.config.digest, links.config)
      // A manifest cannot contain its own digest: there is no circle.
    } else
      for (const child of links.manifests) {
        // An index may name other things too; they are blobs as far as a registry is concerned.
        if (isManifestLike(child.mediaType)) await visit(child)
        else layers.set(child.digest, child)
      }
    manifests.set(descriptor.digest, { descriptor, bytes })
  }

  await visit(root)
  for (const digest of layers.keys()) configs.delete(digest)
  return { layers: [...layers.values()], configs: [...configs.values()], manifests: [...manifests.values()] }
}

/** TL_BLOB_MISMATCH when it has another digest; TL_IMAGE_UNREADABLE when it is too large. */
export async function readManifest(descriptor: Descriptor, blobs: BlobReader): Promise<Uint8Array> {
  const { digest, size } = descriptor
  if (size > maxManifestBytes)
    throw new TowlineError(
      'TL_IMAGE_UNREADABLE',
      `the manifest ${digest} has ${size} bytes, at most ${maxManifestBytes} are read`,
    )
  const chunks: Uint8Array[] = []
  let readBytes = 0
  for await (const chunk of blobs.open(descriptor)) {
    readBytes += chunk.length
    if (readBytes > size) break
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (readBytes !== size || digestOf(bytes) !== digest)
    throw new TowlineError('TL_BLOB_MISMATCH', `the manifest ${digest} of ${size} bytes has another content here`)
  return bytes
}

async function pushManifest(registry: Registry, repository: string, manifest: FetchedManifest): Promise<BlobReport> {
  const { descriptor } = manifest
  const { digest, size } = descriptor
  const signal = registry.signal ?? new AbortController().signal
  if (await hasManifest(registry, repository, descriptor, signal)) return { digest, size, how: 'Present', sentBytes: 0 }
  await putManifest(registry, repository, digest, manifest, { signal })
  return { digest, size, how: 'Uploaded', sentBytes: size }
}

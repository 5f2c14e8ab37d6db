import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, isDocumentType } from '../oci/descriptor.ts'
import { readDocument } from '../oci/document.ts'
import { readTree } from '../oci/image-tree.ts'
import type { UploadProgress } from './blob-sending.ts'
import { type BlobReport, uploadBlob } from './blob-upload.ts'
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
  if (!isDocumentType(root.mediaType))
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${root.digest} is ${oneLine(root.mediaType)}, and no image or index`)
  const layers = new Map<Digest, Descriptor>()
  const configs = new Map<Digest, Descriptor>()
  const manifests = new Map<Digest, FetchedManifest>()
  for (const node of await readTree(root, async (descriptor) => await readDocument(descriptor, blobs))) {
    const { descriptor } = node
    if (node.kind === 'Manifest') {
      for (const layer of node.manifest.layers) layers.set(layer.digest, layer)
      configs.set(node.manifest.config.digest, node.manifest.config)
    } else if (node.kind === 'Blob') layers.set(descriptor.digest, descriptor)
    if ('bytes' in node) manifests.set(descriptor.digest, { descriptor, bytes: node.bytes })
  }
  for (const digest of layers.keys()) configs.delete(digest)
  return { layers: [...layers.values()], configs: [...configs.values()], manifests: [...manifests.values()] }
}

async function pushManifest(registry: Registry, repository: string, manifest: FetchedManifest): Promise<BlobReport> {
  const { descriptor } = manifest
  const { digest, size } = descriptor
  const signal = registry.signal ?? new AbortController().signal
  if (await hasManifest(registry, { repository, access: 'Push' }, descriptor, signal))
    return { digest, size, how: 'Present', sentBytes: 0 }
  await putManifest(registry, repository, digest, manifest, { signal })
  return { digest, size, how: 'Uploaded', sentBytes: size }
}

import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader, BlobStore } from '../oci/blobs.ts'
import {
  type Descriptor,
  type Digest,
  type Platform,
  formatPlatform,
  mediaTypes,
  ociLayerType,
} from '../oci/descriptor.ts'
import { type ImageConfig, type Manifest, encodeDocument } from '../oci/manifest.ts'
import { readLayout } from '../layout/oci-layout.ts'
import { openDockerArchive } from '../layout/saved-image.ts'
import { type BaseSpec, parseBaseSpec } from './base-spec.ts'
import { choosePlatform } from '../oci/platform-choice.ts'

/** What an image is built upon, for one platform. */
export interface BaseImage {
  readonly kind: BaseSpec['kind']
  /** As the person wrote it. */
  readonly reference: string
  readonly manifest: Manifest
  readonly config: ImageConfig
  /** Of the manifest. Undefined for `scratch`, which nobody can fetch. */
  readonly digest: Digest | undefined
  readonly blobs: BlobReader
}

/** Copies an image of a registry, for one platform, into the store, and says where its documents begin. */
export type PullBase = (
  reference: string,
  platform: Platform,
  store: BlobStore,
) => Promise<{ readonly descriptor: Descriptor }>

export interface BaseSources {
  /** What relative paths are relative to. */
  readonly folder: string
  /** What a registry gives is kept here; other bases are read where they lie. */
  readonly cache: BlobStore
  readonly pull: PullBase
}

/**
 * `spec` is `scratch`, `oci:DIR[:NAME]`, `docker-archive:FILE` or an image in a registry. TL_IMAGE_MISSING for one that is not
 * there, or not for this platform; TL_BASE_UNFIT where its layers cannot be passed on; TL_USAGE, TL_IMAGE_UNREADABLE, and what
 * `pull` throws.
 */
export async function openBase(spec: string, platform: Platform, sources: BaseSources): Promise<BaseImage> {
  const parsed = parseBaseSpec(spec, sources.folder)
  if (platform.os !== 'linux') throw unfit(`${formatPlatform(platform)} is not built for, only linux`)
  if (parsed.kind === 'Scratch') return createScratch(platform)
  const { root, blobs } = await locate(parsed, platform, sources)
  const { descriptor, manifest, config } = await choosePlatform(root, platform, blobs, spec)
  checkLayers(manifest, config, spec)
  return { kind: parsed.kind, reference: spec, manifest, config, digest: descriptor.digest, blobs }
}

async function locate(
  spec: Exclude<BaseSpec, { readonly kind: 'Scratch' }>,
  platform: Platform,
  { cache, pull }: BaseSources,
): Promise<{ readonly root: Descriptor; readonly blobs: BlobReader }> {
  switch (spec.kind) {
    case 'Layout': {
      const layout = readLayout(spec.folder)
      return { root: layout.resolve(spec.name), blobs: layout.blobs }
    }
    case 'Archive': {
      const archive = await openDockerArchive(spec.file)
      return { root: archive.resolve(), blobs: archive.blobs }
    }
    case 'Registry':
      return { root: (await pull(spec.reference, platform, cache)).descriptor, blobs: cache }
  }
}

/** No layers, and a config that says nothing but the platform. */
function createScratch(platform: Platform): BaseImage {
  const config: ImageConfig = { ...platform, rootfs: { type: 'layers', diff_ids: [] } }
  const encoded = encodeDocument(mediaTypes.config, config)
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: encoded.descriptor,
    layers: [],
  }
  const blobs: BlobReader = {
    has: (digest) => Promise.resolve(digest === encoded.descriptor.digest),
    open: ({ digest }, startByte = 0) => {
      if (digest === encoded.descriptor.digest) return once(encoded.bytes.subarray(startByte))
      throw new TowlineError('TL_IMAGE_UNREADABLE', `scratch holds nothing, and so not ${digest}`)
    },
  }
  return { kind: 'Scratch', reference: 'scratch', manifest, config, digest: undefined, blobs }
}

function checkLayers({ layers }: Manifest, config: ImageConfig, reference: string): void {
  for (const layer of layers) {
    const { digest, mediaType } = layer
    const named = oneLine(mediaType)
    if (/nondistributable|foreign/.test(mediaType) || 'urls' in layer)
      throw unfit(`${reference}: the layer ${digest} (${named}) may not be passed on, and lies elsewhere`)
    if (ociLayerType(mediaType) === undefined)
      throw unfit(`${reference}: the layer ${digest} is ${named}, which is no known kind`)
  }
  const diffIds = config.rootfs.diff_ids.length
  if (diffIds !== layers.length)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${reference} has ${layers.length} layers, and its config ${diffIds}`)
}

function unfit(detail: string): TowlineError {
  return new TowlineError('TL_BASE_UNFIT', detail, { hint: 'name another base' })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

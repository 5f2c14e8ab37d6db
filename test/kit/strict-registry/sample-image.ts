import { gzipSync } from 'node:zlib'
import type { BlobReader } from '../../../src/image/oci/blobs.ts'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../../../src/image/oci/descriptor.ts'
import { encodeDocument } from '../../../src/image/oci/manifest.ts'

/** An image for two platforms that share one layer, of bytes nobody has seen before. */
export interface SampleImage {
  /** The index. */
  readonly root: Descriptor
  /** By digest: layers and configs. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  /** Each child, then the index. */
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[]
  readonly reader: BlobReader
}

/** `random` gives numbers from 0 to below 1; layers have up to `maxLayerBytes`. */
export function makeSampleImage(random: () => number, { layers = 2, maxLayerBytes = 20_000 } = {}): SampleImage {
  const blobs = new Map<Digest, Uint8Array>()
  const hold = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const makeLayer = (): { readonly descriptor: Descriptor; readonly diffId: Digest } => {
    const words = Uint32Array.from({ length: 1 + Math.floor((random() * maxLayerBytes) / 4) }, () => random() * 2 ** 32)
    const content = Buffer.from(words.buffer)
    return { descriptor: hold(mediaTypes.layerGzip, gzipSync(content, { level: 1 })), diffId: digestOf(content) }
  }
  const shared = makeLayer()
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const own = [shared, ...Array.from({ length: layers - 1 }, makeLayer)]
    const platform = { os: 'linux', architecture }
    const rootfs = { type: 'layers', diff_ids: own.map(({ diffId }) => diffId) }
    const config = hold(mediaTypes.config, encodeDocument(mediaTypes.config, { ...platform, rootfs }).bytes)
    const { descriptor, bytes } = encodeDocument(mediaTypes.manifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config,
      layers: own.map((layer) => layer.descriptor),
    })
    return { descriptor: { ...descriptor, platform }, bytes }
  })
  const index = encodeDocument(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: manifests.map(({ descriptor }) => descriptor),
  })
  const all = new Map([
    ...blobs,
    ...[...manifests, index].map(({ descriptor, bytes }) => [descriptor.digest, bytes] as const),
  ])
  const reader: BlobReader = {
    has: async (digest) => all.has(digest),
    open: async function* ({ digest }, startByte = 0) {
      const bytes = all.get(digest)
      if (bytes === undefined) throw new Error(`the sample has no ${digest}`)
      // In pieces, so that a connection can break between two.
      for (let at = startByte; at < bytes.length; at += 4096) yield bytes.subarray(at, at + 4096)
    },
  }
  return { root: index.descriptor, blobs, manifests: [...manifests, index], reader }
}

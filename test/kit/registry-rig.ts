import { type Clock, systemClock } from '../../src/base/clock.ts'
import { TowlineError } from '../../src/base/errors.ts'
import type { BlobStore } from '../../src/image/oci/blobs.ts'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../../src/image/oci/descriptor.ts'
import { encodeDocument } from '../../src/image/oci/manifest.ts'
import { type Registry, type RegistryOptions, openRegistry } from '../../src/image/registry/registry.ts'
import { createRandom } from './random.ts'

/** A clock that does not wait, and tells how long it would have. */
export function createHastyClock(): Clock & { readonly waitsMs: number[] } {
  const waitsMs: number[] = []
  return {
    ...systemClock,
    waitsMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      waitsMs.push(ms)
    },
  }
}

/** Nobody is logged in, and nothing waits. */
export function openTestRegistry(host: string, more: Partial<RegistryOptions> = {}): Registry {
  return openRegistry({ host, credentials: async () => undefined, clock: createHastyClock(), env: {}, ...more })
}

export interface MemoryBlobs extends BlobStore {
  readonly content: ReadonlyMap<Digest, Uint8Array>
  add(mediaType: string, bytes: Uint8Array): Descriptor
}

/** A blob store without a disk. Blobs are read in pieces of 10,000 bytes. */
export function createMemoryBlobs(): MemoryBlobs {
  const content = new Map<Digest, Uint8Array>()
  return {
    content,
    add: (mediaType, bytes) => {
      const digest = digestOf(bytes)
      content.set(digest, bytes)
      return { mediaType, digest, size: bytes.length }
    },
    has: async (digest) => content.has(digest),
    open: async function* ({ digest }, startByte = 0) {
      const bytes = content.get(digest)
      if (bytes === undefined) throw new TowlineError('TL_IMAGE_UNREADABLE', `no blob ${digest}`)
      for (let at = startByte; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
    },
    put: async ({ digest, size }, chunks) => {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks) parts.push(chunk)
      const bytes = Buffer.concat(parts)
      if (digestOf(bytes) !== digest || bytes.length !== size)
        throw new TowlineError('TL_BLOB_MISMATCH', `${digest} is ${digestOf(bytes)}, ${bytes.length} bytes`)
      content.set(digest, bytes)
    },
  }
}

export function randomBytes(seed: number, sizeBytes: number): Uint8Array {
  const random = createRandom(seed)
  return Uint8Array.from({ length: sizeBytes }, () => random() * 256)
}

/** An index of an image for each architecture; the first layer is the same in all. */
export function addSampleIndex(
  blobs: MemoryBlobs,
  { seed = 1, layerBytes = [30_000, 50_000], architectures = ['amd64', 'arm64'] }: SampleShape = {},
): Descriptor {
  const manifests = architectures.map((architecture, index) => {
    const layers = layerBytes.map((sizeBytes, layer) =>
      blobs.add(mediaTypes.layerGzip, randomBytes(seed * 100 + (layer === 0 ? 0 : layer * 10 + index + 1), sizeBytes)),
    )
    const image = {
      os: 'linux',
      architecture,
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }
    const config = addDocument(blobs, mediaTypes.config, image)
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
    return { ...addDocument(blobs, mediaTypes.manifest, manifest), platform: { os: 'linux', architecture } }
  })
  return addDocument(blobs, mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
}

export interface SampleShape {
  readonly seed?: number
  readonly layerBytes?: readonly number[]
  readonly architectures?: readonly string[]
}

/** A manifest that says something about another, as an SBOM does. */
export function addSampleReferrer(blobs: MemoryBlobs, subject: Descriptor, artifactType: string): Descriptor {
  const config = blobs.add(mediaTypes.empty, Buffer.from('{}'))
  const layers = [blobs.add(artifactType, Buffer.from(`about ${subject.digest}`))]
  const { mediaType, digest, size } = subject
  return addDocument(blobs, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config,
    layers,
    subject: { mediaType, digest, size },
  })
}

function addDocument(blobs: MemoryBlobs, mediaType: string, value: object): Descriptor {
  return blobs.add(mediaType, encodeDocument(mediaType, value).bytes)
}

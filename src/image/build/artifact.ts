import type { BlobStore } from '../oci/blobs.ts'
import { type Descriptor, digestOf, mediaTypes } from '../oci/descriptor.ts'
import { type Manifest, encodeDocument } from '../oci/manifest.ts'

export interface Artifact {
  /** What it is; the type of its one blob too. */
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** The image or index that it says something about. */
  readonly subject: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

const nothing = new TextEncoder().encode('{}')
const emptyConfig: Descriptor = { mediaType: mediaTypes.empty, digest: digestOf(nothing), size: nothing.length }

/** Keeps a document about an image, such as its SBOM, in the form that registries list under it. Returns its manifest. */
export async function keepArtifact(store: BlobStore, artifact: Artifact): Promise<Descriptor> {
  const { mediaType, bytes, subject, annotations } = artifact
  const content: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaType,
    config: emptyConfig,
    layers: [content],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...(annotations === undefined ? {} : { annotations }),
  }
  const { descriptor, bytes: encoded } = encodeDocument(mediaTypes.manifest, manifest)
  await store.put(emptyConfig, [nothing])
  await store.put(content, [bytes])
  await store.put(descriptor, [encoded])
  return { ...descriptor, artifactType: mediaType }
}

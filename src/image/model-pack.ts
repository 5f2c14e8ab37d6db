import { TowlineError } from '../base/errors.ts'
import { type Descriptor, type Digest, mediaTypes } from './oci/descriptor.ts'
import { type Manifest, encodeDocument } from './oci/manifest.ts'

/** A model to be described for tools that know models and no images. */
export interface PackableModel {
  readonly name: string
  /** `onnx`. */
  readonly format: string
  /** From the bottom to the top, at least one. */
  readonly layers: readonly ModelLayer[]
  /** `SOURCE_DATE_EPOCH`, in seconds since 1970. Absent: no time is said. */
  readonly createdAtS?: number
}

export interface ModelLayer {
  /** As in the image: a tar, plain or compressed. */
  readonly descriptor: Descriptor
  /** Of the plain tar. */
  readonly diffId: Digest
  /** Names in the tar, with `/`. At least one. */
  readonly files: readonly string[]
  /** `Settings`: card and labels. */
  readonly purpose: 'Weights' | 'Settings'
}

interface EncodedDocument {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

export const modelPackType = 'application/vnd.cncf.model.manifest.v1+json'

const configType = 'application/vnd.cncf.model.config.v1+json'
const filePath = 'org.cncf.model.filepath'

const roles = { Weights: 'weight', Settings: 'weight.config' } as const

const endings: ReadonlyMap<string, string> = new Map([
  [mediaTypes.layer, 'tar'],
  [mediaTypes.layerGzip, 'tar+gzip'],
  [mediaTypes.dockerLayerGzip, 'tar+gzip'],
  [mediaTypes.layerZstd, 'tar+zstd'],
])

/**
 * The model as CNCF ModelPack, format v1, over the very blobs that the image has as layers: a registry keeps and a node pulls
 * them once. The manifest's `artifactType` is `modelPackType`. TL_IMAGE_UNREADABLE for a layer that is no tar.
 */
export function describeModelPack(model: PackableModel): {
  readonly manifest: EncodedDocument
  readonly config: EncodedDocument
} {
  const { name, format, layers, createdAtS } = model
  const createdAt =
    createdAtS === undefined ? undefined : new Date(createdAtS * 1000).toISOString().replace('.000Z', 'Z')
  // Fields that are undefined do not appear; the schema of the format takes no others than these.
  const config = encodeDocument(configType, {
    descriptor: { name, createdAt },
    config: { format },
    modelfs: { type: 'layers', diffIds: layers.map(({ diffId }) => diffId) },
  })
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: modelPackType,
    config: config.descriptor,
    layers: layers.map(describeLayer),
    annotations: {
      'org.opencontainers.image.title': name,
      ...(createdAt === undefined ? {} : { 'org.opencontainers.image.created': createdAt }),
    },
  }
  return { manifest: encodeDocument(mediaTypes.manifest, manifest), config }
}

function describeLayer({ descriptor: { mediaType, digest, size }, files, purpose }: ModelLayer): Descriptor {
  const ending = endings.get(mediaType)
  if (ending === undefined)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `layer ${digest} of the model has the media type ${mediaType}`, {
      hint: 'a model is packed from layers that are tars, plain or with gzip or zstd',
    })
  return {
    mediaType: `application/vnd.cncf.model.${roles[purpose]}.v1.${ending}`,
    digest,
    size,
    annotations: { [filePath]: topOf(files) },
  }
}

/**
 * Readers that unpack beside the annotated path (KitOps does) and those that follow the names in the tar alone (modctl does)
 * arrive at the same files only when the path is the outermost folder, or the one file outside of any.
 */
function topOf(files: readonly string[]): string {
  return files[0]?.split('/')[0] ?? '.'
}

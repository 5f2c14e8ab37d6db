import { TowlineError } from '../../base/errors.ts'
import { keepArtifact } from '../../image/build/artifact.ts'
import type { MadeLayer } from '../../image/build/build-image.ts'
import { type ModelLayer, describeModelPack, modelPackType } from '../../image/model-pack.ts'
import type { BlobStore } from '../../image/oci/blobs.ts'
import { type Descriptor, isDigest } from '../../image/oci/descriptor.ts'
import { imagePaths } from '../../image/plan/build-plan.ts'
import { cycloneDxMediaType, describeContents } from '../../image/sbom/cyclonedx.ts'
import { type Reference, parseReference } from '../../image/registry/reference.ts'
import type { MadeImage } from './make-images.ts'
import type { PlannedImages } from './plan-request.ts'

/** The bill of materials of one image, listed under it. Returns its manifest. */
export async function keepSbom(
  store: BlobStore,
  { manifest, platform, plan, base, contents }: MadeImage,
  { service, model, runtime }: PlannedImages,
  epochS: number,
): Promise<Descriptor> {
  const packages = plan.layers.flatMap(({ content }) => (content.kind === 'Packages' ? content.packages : []))
  const { osRelease } = contents
  const document = describeContents({
    image: { name: service.name, digest: manifest.digest },
    platform,
    ...(base.digest === undefined
      ? {}
      : {
          base: {
            ...nameBase(base),
            digest: base.digest,
            ...(osRelease === undefined ? {} : { release: osRelease }),
            packages: contents.packages,
          },
        }),
    node: { version: runtime.node },
    towline: { version: runtime.code.version, digest: runtime.code.digest },
    model: {
      name: service.model.name,
      digest: checkDigest(model.digest),
      files: model.files.map(({ name, sha256 }) => ({ path: name, digest: checkDigest(`sha256:${sha256}`) })),
    },
    packages,
    ...(epochS === 0 ? {} : { createdAtS: epochS }),
  })
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  return await keepArtifact(store, { mediaType: cycloneDxMediaType, bytes, subject: manifest })
}

/** The same whether the lock pins the base or not, and wherever it lies on this machine. */
function nameBase({ kind, reference }: MadeImage['base']): { readonly name: string; readonly reference?: Reference } {
  if (kind !== 'Registry') return { name: 'base' }
  const name = reference.replace(/@.*$/, '')
  return { name, reference: parseReference(name) }
}

/** The model for tools that know models and no images, over the layers that the image has. Returns its manifest. */
export async function keepModelPack(
  store: BlobStore,
  { layers }: MadeImage,
  { service }: PlannedImages,
  epochS: number,
): Promise<Descriptor> {
  const { manifest, config } = describeModelPack({
    name: service.model.name,
    format: service.model.format,
    layers: layers.flatMap(describeModelLayer),
    ...(epochS === 0 ? {} : { createdAtS: epochS }),
  })
  await store.put(config.descriptor, [config.bytes])
  await store.put(manifest.descriptor, [manifest.bytes])
  return { ...manifest.descriptor, artifactType: modelPackType }
}

function describeModelLayer({ planned, descriptor, diffId }: MadeLayer): readonly ModelLayer[] {
  if (planned.content.kind !== 'Model') return []
  const files = planned.content.files.map(({ name }) => `${imagePaths.models.slice(1)}/${name}`)
  return [{ descriptor, diffId, files, purpose: planned.compression === 'None' ? 'Weights' : 'Settings' }]
}

function checkDigest(text: string): `sha256:${string}` {
  if (isDigest(text)) return text
  throw new TowlineError('TL_BLOB_MISMATCH', `${text} is no digest`)
}

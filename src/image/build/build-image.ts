import { TowlineError } from '../../base/errors.ts'
import type { LayerCache } from '../layer/layer-cache.ts'
import type { BlobFolder } from '../layout/blob-folder.ts'
import { retryMended } from '../mended-cache.ts'
import type { BlobReader, BlobStore } from '../oci/blobs.ts'
import { type Descriptor, type Platform, mediaTypes } from '../oci/descriptor.ts'
import { encodeDocument } from '../oci/manifest.ts'
import type { BuildPlan, PlannedLayer } from '../plan/build-plan.ts'
import { cpuOf } from '../plan/plan-image.ts'
import { type FinishedLayer, type Foundation, assembleConfig, assembleManifest } from './assemble.ts'
import { type LayerSources, listEntries } from './layer-entries.ts'

export interface Workshop extends LayerSources {
  readonly layers: LayerCache
  /** Where the image is put together. */
  readonly store: BlobFolder
  /** The time that everything has, in seconds since 1970: SOURCE_DATE_EPOCH, or 0. */
  readonly epochS: number
  /** A layer is there now. */
  onLayer?(layer: MadeLayer): void
}

export interface MadeLayer extends FinishedLayer {
  readonly planned: PlannedLayer
  readonly unpackedBytes: number
  /** It was made by an earlier build. */
  readonly isRemembered: boolean
}

export interface BuiltImage {
  readonly platform: Platform
  readonly manifest: Descriptor
  readonly baseLayers: readonly Descriptor[]
  readonly layers: readonly MadeLayer[]
}

/** What Docker's storage can stack. */
const maxLayers = 127
/** At a time: compression is the slow part, and has a thread of its own for each. */
const layersAtOnce = 2

/** Makes the image of one plan in `store`. The same plan, base and time give the same digest everywhere. */
export async function buildImage(
  plan: BuildPlan,
  base: Foundation & { readonly blobs: BlobReader },
  workshop: Workshop,
): Promise<BuiltImage> {
  const { store, signal } = workshop
  for (const layer of base.manifest.layers) await store.put(layer, base.blobs.open(layer))
  const count = base.manifest.layers.length + plan.layers.length
  if (count > maxLayers)
    throw new TowlineError(
      'TL_BASE_UNFIT',
      `${plan.base.reference} has ${base.manifest.layers.length} layers; with ours it would be ${count}, and Docker takes ${maxLayers}`,
      {
        hint: 'name a base with fewer layers',
      },
    )
  const layers = await makeLayers(plan, workshop)
  signal?.throwIfAborted()
  const created = new Date(workshop.epochS * 1000).toISOString().replace('.000Z', 'Z')
  const config = await keepDocument(store, mediaTypes.config, assembleConfig(plan, base, layers, created))
  const manifest = await keepDocument(store, mediaTypes.manifest, assembleManifest(config, base, layers))
  return { platform: plan.platform, manifest, baseLayers: base.manifest.layers, layers }
}

/** One name for the images of several platforms. */
export async function buildIndex(images: readonly BuiltImage[], store: BlobStore): Promise<Descriptor> {
  return await keepDocument(store, mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(({ manifest, platform }) => ({ ...manifest, platform })),
  })
}

/** Writes a JSON document as a blob. */
export async function keepDocument(store: BlobStore, mediaType: string, value: object): Promise<Descriptor> {
  const { descriptor, bytes } = encodeDocument(mediaType, value)
  await store.put(descriptor, [bytes])
  return descriptor
}

async function makeLayers(plan: BuildPlan, workshop: Workshop): Promise<readonly MadeLayer[]> {
  const made = new Map<PlannedLayer, MadeLayer>()
  const waiting = [...plan.layers]
  const work = async (): Promise<void> => {
    for (let planned = waiting.shift(); planned !== undefined; planned = waiting.shift()) {
      const layer = await makeLayer(planned, plan, workshop)
      made.set(planned, layer)
      workshop.onLayer?.(layer)
    }
  }
  // The first failure is the one to tell; what runs beside it ends before the caller may remove anything.
  const outcomes = await Promise.allSettled(Array.from({ length: layersAtOnce }, work))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return plan.layers.flatMap((planned) => made.get(planned) ?? [])
}

async function makeLayer(planned: PlannedLayer, plan: BuildPlan, workshop: Workshop): Promise<MadeLayer> {
  const { layers, store, epochS, signal } = workshop
  signal?.throwIfAborted()
  const options = { compression: planned.compression, mtimeS: epochS }
  const built = await retryMended(workshop.packages, async () => {
    const entries = await listEntries(planned.content, workshop, cpuOf(plan.platform))
    return await layers.build(entries, options, signal)
  })
  checkMeasure(planned, built.descriptor, epochS)
  await store.adopt(built.descriptor, layers.blobs.pathOf(built.descriptor.digest))
  return { ...built, name: planned.name, why: planned.why, planned }
}

/** The same packages give the same bytes on every machine; other ones mean that this build would be no use as a reference. */
function checkMeasure({ name, measured }: PlannedLayer, { digest }: Descriptor, epochS: number): void {
  if (epochS !== 0 || measured === undefined || measured.digest === digest) return
  throw new TowlineError(
    'TL_PACKAGE_MISMATCH',
    `the layer ${name} is ${digest}, and the lock says ${measured.digest}`,
    {
      hint: 'empty the cache of packages and try again; if it stays so, please report it',
    },
  )
}

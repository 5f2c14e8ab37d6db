import { TowlineError } from '../../base/errors.ts'
import { layerLimitOf } from '../../compat/layer-limits.ts'
import { keepArtifact } from '../../image/build/artifact.ts'
import { readImageConfig } from '../../image/oci/document.ts'
import { listBranches } from '../../image/oci/image-tree.ts'
import { openLayout } from '../../image/layout/oci-layout.ts'
import type { BlobReader } from '../../image/oci/blobs.ts'
import type { Descriptor, Digest } from '../../image/oci/descriptor.ts'
import type { BlobReport } from '../../image/registry/blob-upload.ts'
import { type PushReport, pushImage } from '../../image/registry/push.ts'
import { attachReferrer } from '../../image/registry/referrers.ts'
import { type Reference, formatReference, parseReference } from '../../image/registry/reference.ts'
import type { Registry } from '../../image/registry/registry.ts'
import { readAttestations } from '../../store/attestation-files.ts'
import { specFolder } from '../../store/spec-folder.ts'
import type { CliContext } from '../context.ts'
import { describeImage } from '../../image/inspect.ts'
import { runInterruptible } from './interruptible.ts'
import { formatBytes } from '../../base/display.ts'
import type { LocalImage } from './image-place.ts'
import { type RegistryFlags, accessRegistry } from './registry-access.ts'

/** What a push did, for `--json`. */
export interface Pushed {
  readonly reference: string
  readonly digest: Digest
  readonly blobs: readonly BlobReport[]
  readonly referrers: readonly {
    readonly artifactType: string
    readonly digest: Digest
    readonly listedBy: 'Registry' | 'Tag'
  }[]
  readonly modelPack?: { readonly reference: string; readonly digest: Digest }
}

export interface PushRequest {
  readonly image: LocalImage
  readonly target: Reference
  /** Where attestations lie; undefined for an image that was not built here. */
  readonly specDir: string | undefined
  readonly modelPack?: { readonly root: Descriptor; readonly tag: string }
}

export const attestationType = 'application/vnd.towline.attestation.v1+json'

/** The image, then what is said about it. TL_REGISTRY_…, TL_CANCELLED; a tag is set only when all of the image is there. */
export async function pushLocal(context: CliContext, flags: RegistryFlags, request: PushRequest): Promise<Pushed> {
  const { image, target } = request
  let isTagged = false
  const work = {
    label: 'push',
    first: `to ${target.registry}`,
    stopped: () =>
      isTagged
        ? `the image is at ${formatReference(target)}; not all that is said about it is`
        : `what ${target.registry} has of the image stays, and no tag leads to it`,
  }
  return await runInterruptible(context, work, async (signal, progress) => {
    await refuseLargeLayers(image, target)
    const registry = accessRegistry(context.terminal, target, flags, signal)
    try {
      const sent = new Map<Digest, number>()
      const order = { root: image.root, blobs: image.blobs, target, mountFrom: await findMountSources(image, target) }
      const report = await pushImage(registry, order, {
        onProgress: ({ digest, sentBytes }) => {
          sent.set(digest, sentBytes)
          const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0)
          progress.say(`${formatBytes(total)} sent to ${target.registry}`)
        },
      })
      isTagged = true
      progress.say('attaching what is said about it')
      const referrers = await attachAll(registry, request)
      const modelPack = await pushModelPack(registry, request)
      return {
        reference: nameTarget(target, report),
        digest: report.digest,
        blobs: report.blobs,
        referrers,
        ...(modelPack === undefined ? {} : { modelPack }),
      }
    } finally {
      await registry.close()
    }
  })
}

/** Before anything is sent. Of registries whose limit is not known nothing is said. */
async function refuseLargeLayers({ root, blobs }: LocalImage, { registry }: Reference): Promise<void> {
  const limit = layerLimitOf(registry)
  if (limit === undefined) return
  const layers = (await listBranches(root, blobs)).flatMap(({ manifest }) => manifest?.layers ?? [])
  const large = layers.filter(({ size }) => size > limit.maxBytes)
  if (large.length === 0) return
  const named = large.map(({ digest, size }) => `${digest} has ${formatBytes(size)}`).join(', ')
  const detail = `${named}; ${registry} takes ${formatBytes(limit.maxBytes)} a layer (${limit.source}, ${limit.asOf})`
  throw new TowlineError('TL_LAYER_TOO_LARGE', detail, {
    hint: 'export the model with external data in several files',
  })
}

function nameTarget(target: Reference, { tag, digest }: PushReport): string {
  const { registry, repository } = target
  return formatReference({ registry, repository, ...(tag === undefined ? {} : { tag }), digest })
}

async function attachAll(registry: Registry, { image, target, specDir }: PushRequest): Promise<Pushed['referrers']> {
  const { root, blobs } = image
  const referrers = [...image.referrers]
  if (specDir !== undefined) referrers.push(...(await keepAttestations(specDir, root, blobs)))
  const attached: Pushed['referrers'][number][] = []
  for (const descriptor of referrers) {
    const place = { registry: target.registry, repository: target.repository }
    attached.push(await attachReferrer(registry, place, { descriptor, blobs }))
  }
  return attached
}

/** What environments said of the very model that is in the image, each as an artifact. */
async function keepAttestations(specDir: string, root: Descriptor, blobs: BlobReader): Promise<readonly Descriptor[]> {
  const [branch] = await listBranches(root, blobs)
  if (branch?.manifest === undefined) return []
  const { Labels: labels = {} } = (await readImageConfig(branch.manifest.config, blobs)).config ?? {}
  const [service, model] = [labels['org.opencontainers.image.title'], labels['dev.towline.model.digest']]
  if (service === undefined || model === undefined) return []
  const { blobs: store } = openLayout(specFolder(specDir, 'images'))
  const kept: Descriptor[] = []
  for (const attestation of readAttestations(specDir, service)) {
    if (attestation.model !== model) continue
    const bytes = new TextEncoder().encode(JSON.stringify(attestation))
    const annotations = {
      'dev.towline.environment': attestation.environment,
      'dev.towline.passed': String(attestation.passed),
    }
    kept.push(await keepArtifact(store, { mediaType: attestationType, bytes, subject: root, annotations }))
  }
  return kept
}

async function pushModelPack(
  registry: Registry,
  { image, target, modelPack }: PushRequest,
): Promise<Pushed['modelPack']> {
  if (modelPack === undefined) return undefined
  const { registry: host, repository } = target
  const place = { registry: host, repository, tag: modelPack.tag }
  const report = await pushImage(registry, { root: modelPack.root, blobs: image.blobs, target: place })
  return { reference: nameTarget(place, report), digest: report.digest }
}

/**
 * The base's own repository, where it is at the same registry: its layers need not be sent. What an image of somebody else
 * says of its base may be anything; then nothing is mounted.
 */
async function findMountSources({ root, blobs }: LocalImage, target: Reference): Promise<readonly string[]> {
  const { platforms } = await describeImage(root, blobs)
  const sources = platforms.flatMap(({ run }) => {
    const base = run.labels['org.opencontainers.image.base.name'] ?? ''
    const found = readReference(base)
    return found?.registry === target.registry && found.repository !== target.repository ? [found.repository] : []
  })
  return [...new Set(sources)]
}

function readReference(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (error instanceof TowlineError) return undefined
    throw error
  }
}

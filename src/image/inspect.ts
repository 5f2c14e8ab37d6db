import type { BlobReader } from './oci/blobs.ts'
import { type Descriptor, type Digest, type Platform, isManifestType } from './oci/descriptor.ts'
import { readImageConfig, readManifest } from './oci/document.ts'
import { type ImageNode, readPresentTree } from './oci/image-tree.ts'
import type { HistoryEntry, ImageConfig, Manifest, RunConfig } from './oci/manifest.ts'
import { isRunnable } from './oci/platform-choice.ts'

/** What an image is, for people and for `--json`. Sizes in bytes, as they are kept and sent. */
export interface ImageDescription {
  readonly digest: Digest
  readonly mediaType: string
  readonly annotations: Readonly<Record<string, string>>
  readonly platforms: readonly PlatformDescription[]
  /** What lies beside the images and is none: SBOMs, signatures, attestations. */
  readonly artifacts: readonly ArtifactDescription[]
  /** What the index names and whose manifest is not here. */
  readonly absent: readonly { readonly digest: Digest; readonly platform: Platform | undefined }[]
}

export interface PlatformDescription {
  /** Of the manifest. */
  readonly digest: Digest
  readonly platform: Platform
  /** RFC 3339. */
  readonly created: string | undefined
  /** Of the layers, each counted once, as they are sent. */
  readonly layersBytes: number
  /** With manifest and config. */
  readonly totalBytes: number
  readonly annotations: Readonly<Record<string, string>>
  readonly run: RunDescription
  readonly layers: readonly LayerDescription[]
}

export interface RunDescription {
  /** Empty: root. */
  readonly user: string
  readonly workingDir: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  /** `8080/tcp`. */
  readonly ports: readonly string[]
  readonly stopSignal: string | undefined
  readonly healthCheck: HealthCheckDescription | undefined
  /** Names only: values may be secrets. */
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface HealthCheckDescription {
  readonly test: readonly string[]
  readonly intervalMs: number | undefined
  readonly timeoutMs: number | undefined
  readonly startPeriodMs: number | undefined
  readonly retries: number | undefined
}

export interface LayerDescription {
  readonly digest: Digest
  readonly diffId: Digest | undefined
  readonly mediaType: string
  readonly sizeBytes: number
  /** The step that made it. Undefined when the history does not say. */
  readonly createdBy: string | undefined
  readonly comment: string | undefined
}

export interface ArtifactDescription {
  readonly digest: Digest
  readonly artifactType: string
  readonly subject: Digest | undefined
  readonly annotations: Readonly<Record<string, string>>
  readonly layers: readonly { readonly digest: Digest; readonly mediaType: string; readonly sizeBytes: number }[]
}

/**
 * Reads index, manifests and configs, and no layer; also those of `referrers`, which say something about the image.
 * TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH.
 */
export async function describeImage(
  root: Descriptor,
  blobs: BlobReader,
  referrers: readonly Descriptor[] = [],
): Promise<ImageDescription> {
  const platforms: PlatformDescription[] = []
  const artifacts: ArtifactDescription[] = []
  const absent: { readonly digest: Digest; readonly platform: Platform | undefined }[] = []
  const nodes = await readPresentTree(root, blobs)
  for (const node of nodes) {
    const { descriptor } = node
    if (node.kind === 'Unread') absent.push({ digest: descriptor.digest, platform: descriptor.platform })
    if (node.kind !== 'Manifest') continue
    const { manifest } = node
    if (!isRunnable(descriptor, manifest)) artifacts.push(describeArtifact(descriptor, manifest))
    else platforms.push(describePlatform(descriptor, manifest, await readImageConfig(manifest.config, blobs)))
  }
  for (const descriptor of referrers)
    if (isManifestType(descriptor.mediaType))
      artifacts.push(describeArtifact(descriptor, await readManifest(descriptor, blobs)))
  const { digest, mediaType } = root
  return { digest, mediaType, annotations: annotationsOf(nodes.at(-1)), platforms, artifacts, absent }
}

function annotationsOf(root: ImageNode | undefined): ImageDescription['annotations'] {
  if (root?.kind === 'Index') return root.index.annotations ?? {}
  return root?.kind === 'Manifest' ? (root.manifest.annotations ?? {}) : {}
}

function describePlatform(descriptor: Descriptor, manifest: Manifest, config: ImageConfig): PlatformDescription {
  const { os, architecture, variant } = config
  const steps = stepsOf(config.history ?? [], manifest.layers.length)
  const layersBytes = [...new Map(manifest.layers.map(({ digest, size }) => [digest, size])).values()].reduce(
    (sum, size) => sum + size,
    0,
  )
  return {
    digest: descriptor.digest,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    created: config.created,
    layersBytes,
    totalBytes: layersBytes + descriptor.size + manifest.config.size,
    annotations: manifest.annotations ?? {},
    run: describeRun(config.config ?? {}),
    layers: manifest.layers.map(({ digest, mediaType, size }, at) => ({
      digest,
      diffId: config.rootfs.diff_ids[at],
      mediaType,
      sizeBytes: size,
      createdBy: steps[at]?.created_by,
      comment: steps[at]?.comment,
    })),
  }
}

/** The steps that made a layer, one for each; none when their number is not that of the layers: the wrong one would lie. */
function stepsOf(history: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  const steps = history.filter((step) => step.empty_layer !== true)
  return steps.length === layers ? steps : []
}

function describeRun(run: RunConfig): RunDescription {
  return {
    user: run.User ?? '',
    workingDir: run.WorkingDir ?? '',
    entrypoint: run.Entrypoint ?? [],
    command: run.Cmd ?? [],
    ports: Object.keys(run.ExposedPorts ?? {}).toSorted(),
    stopSignal: run.StopSignal,
    healthCheck: describeHealthCheck(run.Healthcheck),
    env: (run.Env ?? []).map((variable) => variable.split('=')[0] ?? ''),
    labels: run.Labels ?? {},
  }
}

function describeHealthCheck(check: RunConfig['Healthcheck']): HealthCheckDescription | undefined {
  if (check === undefined || check.Test.length === 0 || check.Test[0] === 'NONE') return undefined
  return {
    test: check.Test,
    intervalMs: toMs(check.Interval),
    timeoutMs: toMs(check.Timeout),
    startPeriodMs: toMs(check.StartPeriod),
    retries: check.Retries,
  }
}

function toMs(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / 1e6
}

function describeArtifact({ digest }: Descriptor, manifest: Manifest): ArtifactDescription {
  return {
    digest,
    artifactType: manifest.artifactType ?? manifest.config.mediaType,
    subject: manifest.subject?.digest,
    annotations: manifest.annotations ?? {},
    layers: manifest.layers.map(({ digest, mediaType, size }) => ({ digest, mediaType, sizeBytes: size })),
  }
}

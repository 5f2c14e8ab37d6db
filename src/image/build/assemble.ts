import { type Descriptor, type Digest, mediaTypes, ociLayerType } from '../oci/descriptor.ts'
import type { HistoryEntry, ImageConfig, Manifest, RunConfig } from '../oci/manifest.ts'
import type { BuildPlan } from '../plan/build-plan.ts'

/** A layer over the base, made. */
export interface FinishedLayer {
  readonly name: string
  readonly why: string
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

export interface Foundation {
  readonly digest: Digest | undefined
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/** Pure. The base's own settings stay where the plan says nothing; `created` is RFC 3339. */
export function assembleConfig(
  plan: BuildPlan,
  base: Foundation,
  layers: readonly FinishedLayer[],
  created: string,
): ImageConfig {
  const { os, architecture, variant } = plan.platform
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    created,
    config: mergeRun(base, plan.run),
    rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)] },
    history: [
      ...completeHistory(base),
      ...layers.map(({ name, why }): HistoryEntry => ({ created, created_by: `towline build: ${name}`, comment: why })),
    ],
  }
}

export function assembleManifest(config: Descriptor, base: Foundation, layers: readonly FinishedLayer[]): Manifest {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: [...base.manifest.layers.map(asOci), ...layers.map(({ descriptor }) => descriptor)],
  }
}

/** An OCI manifest does not name Docker's media types; the bytes are the same. */
function asOci({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: ociLayerType(mediaType) ?? mediaType, digest, size }
}

function mergeRun({ config, digest }: Foundation, run: RunConfig): RunConfig {
  const { Env: baseEnv = [], Labels: _labels, ...inherited } = config.config ?? {}
  const own = new Set(run.Env?.map(nameOfVariable))
  return {
    ...inherited,
    ...run,
    Env: [...baseEnv.filter((variable) => !own.has(nameOfVariable(variable))), ...(run.Env ?? [])],
    // Not the base's: its title, version and licence are not this image's.
    Labels: {
      ...run.Labels,
      ...(digest === undefined ? {} : { 'org.opencontainers.image.base.digest': digest }),
    },
  }
}

function nameOfVariable(variable: string): string {
  return variable.split('=', 1)[0] ?? ''
}

/** Some bases have layers without history; readers match the two by position. */
function completeHistory({ config }: Foundation): readonly HistoryEntry[] {
  const history = config.history ?? []
  const missing = config.rootfs.diff_ids.length - history.filter(({ empty_layer: empty }) => empty !== true).length
  return [...history, ...Array.from({ length: Math.max(0, missing) }, () => ({ created_by: 'base image' }))]
}

import { TowlineError } from '../../base/errors.ts'
import { formatBytes } from '../../base/display.ts'
import type { ModelFile, ModelPrint } from '../../spec/model/model-print.ts'
import type { Platform } from '../oci/descriptor.ts'
import { formatPlatform } from '../oci/descriptor.ts'
import type { RunConfig } from '../oci/manifest.ts'
import { parseBaseSpec } from '../base/base-spec.ts'
import { type Cpu, layerRecipes, runtimePlatforms } from '../runtime/recipe.ts'
import { type RuntimeLock, measuredLayer, packagesOf } from '../runtime/runtime-lock.ts'
import { type BuildPlan, type PlannedBase, type PlannedLayer, imagePaths, imagePorts, imageUser } from './build-plan.ts'

export interface PlanInput {
  readonly name: string
  readonly platform: Platform
  readonly base: PlannedBase
  readonly model: ModelPrint
  /** What the replica is told: a `ReplicaConfig`. */
  readonly settings: object
  readonly startupTimeoutMs: number
  /** Over the spec's model, image and build. */
  readonly inputsHash: string
  readonly runtime: RuntimeLock
  /** Of the lock's own content. */
  readonly runtimeHash: string
  readonly labels: Readonly<Record<string, string>>
  /** Names of the variables in the spec's `env`. */
  readonly env: readonly string[]
  readonly maxLayerBytes: number
}

/** From here on a file is weights, and has a layer of its own. */
const weightsFromBytes = 1 << 20
/** Image stores take at most 127 layers; the base and ours need some of them. */
const maxWeightLayers = 64

/** Pure. TL_PLATFORM; TL_LAYER_TOO_LARGE names every file that no layer may hold. */
export function planImage(input: PlanInput): BuildPlan {
  const { name, platform, base, model, runtime } = input
  cpuOf(platform)
  checkSizes(model.files, input.maxLayerBytes)
  const hasCard = model.files.some((file) => file.name === 'card.yaml')
  const platformName = formatPlatform(platform)
  const packages = layerRecipes
    .filter((recipe) => recipe.name !== 'photos' || hasCard)
    .map((recipe): PlannedLayer => {
      const content = { kind: 'Packages', packages: packagesOf(runtime, recipe.name, platformName) } as const
      const measured = measuredLayer(runtime, recipe.name, platformName)
      const { name: layer, why } = recipe
      return { name: layer, why, compression: 'Gzip', content, ...(measured === undefined ? {} : { measured }) }
    })
  const settings = { path: imagePaths.settings.slice(1), text: `${JSON.stringify(input.settings, undefined, 2)}\n` }
  return {
    name,
    platform,
    base,
    layers: [
      ...packages,
      ...planModel(model.files, input.maxLayerBytes),
      {
        name: 'code',
        why: `towline ${runtime.code.version}, the modules of one replica`,
        compression: 'Gzip',
        content: { kind: 'Code', code: runtime.code },
      },
      {
        name: 'settings',
        why: 'limits and timeouts of the spec; last, so that an edit changes nothing else',
        compression: 'Gzip',
        content: { kind: 'Documents', documents: [settings] },
      },
    ],
    run: describeRun(input),
    model: { digest: model.digest, sizeBytes: sumBytes(model.files) },
    notes: [
      ...(hasCard ? [] : ['no decoder of photos: the model has no card.yaml, so requests are tensors']),
      ...(input.env.length === 0
        ? []
        : [`env (${input.env.join(', ')}) is given where the image runs, and is not in it`]),
    ],
  }
}

function planModel(files: readonly ModelFile[], maxLayerBytes: number): PlannedLayer[] {
  const large = files.filter(({ sizeBytes }) => sizeBytes >= weightsFromBytes)
  const small = files.filter((file) => !large.includes(file))
  const weights = groupWeights(large, maxLayerBytes).map((group): PlannedLayer => {
    const why = 'as they are, since packing makes them no smaller; only another model changes them'
    return { name: 'weights', why, compression: 'None', content: { kind: 'Model', files: group } }
  })
  if (small.length === 0) return weights
  const content = { kind: 'Model', files: small } as const
  const why = weights.length > 0 ? 'what goes with the model: card, labels' : 'a small model and what goes with it'
  return [...weights, { name: 'model', why, compression: 'Gzip', content }]
}

/** A group for each file as long as there are layers for it; beyond that neighbours share one. */
function groupWeights(files: readonly ModelFile[], maxLayerBytes: number): readonly (readonly ModelFile[])[] {
  const totalBytes = sumBytes(files)
  for (let parts = maxWeightLayers; parts >= 1; parts /= 2) {
    const groupBytes = files.length <= maxWeightLayers ? 0 : Math.min(maxLayerBytes, totalBytes / parts)
    const groups: ModelFile[][] = []
    for (const file of files) {
      const last = groups.at(-1)
      if (last === undefined || sumBytes(last) + file.sizeBytes > groupBytes) groups.push([file])
      else last.push(file)
    }
    if (groups.length <= maxWeightLayers) return groups
  }
  throw new TowlineError(
    'TL_LAYER_TOO_LARGE',
    `${files.length} files with ${formatBytes(totalBytes)} do not fit into ${maxWeightLayers} layers of ${formatBytes(maxLayerBytes)}`,
    { hint: 'raise the limit with --max-layer if your registry takes more' },
  )
}

function sumBytes(files: readonly ModelFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0)
}

function checkSizes(files: readonly ModelFile[], maxLayerBytes: number): void {
  const tooLarge = files.filter(({ sizeBytes }) => sizeBytes > maxLayerBytes)
  if (tooLarge.length === 0) return
  const named = tooLarge.map(({ file, sizeBytes }) => `${file} has ${formatBytes(sizeBytes)}`).join(', ')
  throw new TowlineError('TL_LAYER_TOO_LARGE', `${named}; the limit is ${formatBytes(maxLayerBytes)} a layer`, {
    hint: 'export the model with external data in several files, or raise the limit with --max-layer if your registry takes more',
  })
}

function describeRun({ name, base, model, inputsHash, runtimeHash, startupTimeoutMs, labels }: PlanInput): RunConfig {
  const second = 1_000_000_000
  return {
    User: imageUser,
    Env: ['NODE_ENV=production'],
    Entrypoint: [imagePaths.node, imagePaths.replica],
    // Apart from the entry point, so that an orchestrator can name another file without repeating it.
    Cmd: [imagePaths.settings],
    WorkingDir: imagePaths.home,
    ExposedPorts: { [`${imagePorts.http}/tcp`]: {}, [`${imagePorts.metrics}/tcp`]: {} },
    StopSignal: 'SIGTERM',
    Healthcheck: {
      Test: ['CMD', imagePaths.node, imagePaths.health, imagePaths.settings],
      Interval: 10 * second,
      Timeout: 5 * second,
      StartPeriod: startupTimeoutMs * 1_000_000,
      Retries: 3,
    },
    Labels: {
      'org.opencontainers.image.title': name,
      ...nameBase(base.reference),
      'dev.towline.model.digest': model.digest,
      'dev.towline.inputs': `sha256:${inputsHash}`,
      'dev.towline.runtime': `sha256:${runtimeHash}`,
      ...labels,
    },
  }
}

/** The digest has a label of its own. A place on this machine means nothing elsewhere, and would make another image there. */
function nameBase(reference: string): Readonly<Record<string, string>> {
  if (parseBaseSpec(reference, '/').kind !== 'Registry') return {}
  return { 'org.opencontainers.image.base.name': reference.replace(/@.*$/, '') }
}

/** TL_PLATFORM for one that the runtime has no packages for. */
export function cpuOf(platform: Platform): Cpu {
  const found = runtimePlatforms.find(({ name }) => name === formatPlatform(platform))
  if (found !== undefined) return found.cpu
  throw new TowlineError('TL_PLATFORM', `no image can be built for ${formatPlatform(platform)}`, {
    hint: `use ${runtimePlatforms.map(({ name }) => name).join(' or ')}`,
  })
}

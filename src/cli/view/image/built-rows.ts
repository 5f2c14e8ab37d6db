import { dirname, relative, resolve } from 'node:path'
import { formatBytes, formatDigest, formatMs } from '../../../base/display.ts'
import { type Descriptor, type Digest, formatPlatform } from '../../../image/oci/descriptor.ts'
import type { MadeImage, MadeImages } from '../../image/make-images.ts'
import type { PlannedImages } from '../../image/plan-request.ts'
import { renderRow, renderTable } from '../../term/layout.ts'

/** What a build made, for scripts. */
export interface BuiltDescription {
  readonly name: string
  /** Of the image, or of the index of several platforms. */
  readonly digest: Digest
  readonly images: readonly BuiltPlatform[]
  readonly modelPack: Digest
  readonly model: string
  readonly layout: string
  readonly lockFile: string
  readonly lockChanged: boolean
  /** What a person might expect in the image and is not there. */
  readonly notes: readonly string[]
  readonly tookMs: number
}

interface BuiltPlatform {
  readonly platform: string
  readonly digest: Digest
  readonly base: { readonly reference: string; readonly digest?: Digest; readonly sizeBytes: number }
  readonly layers: readonly {
    readonly name: string
    readonly digest: Digest
    readonly sizeBytes: number
    readonly unpackedBytes: number
    readonly isRemembered: boolean
    readonly why: string
  }[]
  /** Compressed, with the base. */
  readonly sizeBytes: number
  readonly modelBytes: number
}

export function describeBuilt(
  { service, model, lockFile }: PlannedImages,
  { root, images, modelPack, layout }: MadeImages,
  { tookMs, lockChanged }: { readonly tookMs: number; readonly lockChanged: boolean },
): BuiltDescription {
  return {
    name: service.name,
    digest: root.digest,
    images: images.map(describePlatform),
    modelPack: modelPack.digest,
    model: model.digest,
    layout: layout.folder,
    lockFile,
    lockChanged,
    notes: images[0].plan.notes,
    tookMs: Math.round(tookMs),
  }
}

function describePlatform({ platform, manifest, base, baseLayers, layers, plan }: MadeImage): BuiltPlatform {
  const sum = (descriptors: readonly Descriptor[]): number => descriptors.reduce((total, { size }) => total + size, 0)
  const ofModel = layers.filter(({ planned }) => planned.content.kind === 'Model').map(({ descriptor }) => descriptor)
  return {
    platform: formatPlatform(platform),
    digest: manifest.digest,
    base: {
      reference: plan.base.reference,
      ...(base.digest === undefined ? {} : { digest: base.digest }),
      sizeBytes: sum(baseLayers),
    },
    layers: layers.map(({ name, why, descriptor, unpackedBytes, isRemembered }) => ({
      name,
      digest: descriptor.digest,
      sizeBytes: descriptor.size,
      unpackedBytes,
      isRemembered,
      why,
    })),
    sizeBytes: sum(baseLayers) + sum(layers.map(({ descriptor }) => descriptor)),
    modelBytes: sum(ofModel),
  }
}

export interface BuiltView {
  /** Paths are shown from here. */
  readonly cwd: string
  readonly output: string | undefined
  /** A push follows, so that nobody needs to be told of one. */
  readonly pushes: boolean
}

export function renderBuilt(built: BuiltDescription, { cwd, output, pushes }: BuiltView): readonly string[] {
  return [
    ...built.images.flatMap(renderPlatform),
    ...built.notes.map((note) => renderRow('note', note)),
    renderRow('image', `${built.name}@${built.digest}   in ${formatMs(built.tookMs)}`),
    renderRow('kept', `${relative(cwd, built.layout)}${output === undefined ? '' : `, ${output}`}`),
    renderRow(
      'lock',
      `${relative(cwd, resolve(cwd, built.lockFile))}   ${built.lockChanged ? 'written' : 'as it was'}`,
    ),
    ...(pushes ? [] : [renderRow('next', `${stepInto(cwd, built.layout)}towline push REGISTRY/${built.name}:TAG`)]),
  ]
}

/** `towline push` looks from where it stands upwards. */
function stepInto(cwd: string, layout: string): string {
  const folder = relative(cwd, dirname(dirname(layout)))
  return folder === '' || /^(\.\.\/?)+$/.test(folder) ? '' : `cd ${folder} && `
}

function renderPlatform(image: BuiltPlatform): readonly string[] {
  const rows = image.layers.map(({ name, sizeBytes, digest, isRemembered }) => [
    `  ${name}`,
    formatBytes(sizeBytes),
    formatDigest(digest),
    isRemembered ? 'from the cache' : 'made',
  ])
  const { base } = image
  const at = base.digest === undefined ? '' : `  ${formatDigest(base.digest)}`
  return [
    renderRow('platform', image.platform),
    renderRow('base', `${base.reference.replace(/@.*/, '')}${at}  ${formatBytes(base.sizeBytes)}`),
    renderTable(['  layer', 'packed', 'digest', ''], rows),
    renderRow(
      'size',
      `${formatBytes(image.sizeBytes - image.modelBytes)} and ${formatBytes(image.modelBytes)} of model`,
    ),
  ]
}

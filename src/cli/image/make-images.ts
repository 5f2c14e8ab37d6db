import { join } from 'node:path'
import { TowlineError } from '../../base/errors.ts'
import type { BaseContents } from '../../image/base/base-packages.ts'
import {
  type BuiltImage,
  type MadeLayer,
  type Workshop,
  buildImage,
  buildIndex,
} from '../../image/build/build-image.ts'
import { openLayerCache } from '../../image/layer/layer-cache.ts'
import { type OciLayout, openLayout } from '../../image/layout/oci-layout.ts'
import type { Descriptor } from '../../image/oci/descriptor.ts'
import { retryMended } from '../../image/mended-cache.ts'
import { fetchWithNpm } from '../../image/packages/npm-fetch.ts'
import { openPackageCache } from '../../image/packages/package-cache.ts'
import { pruneFolders } from '../../image/packages/prune-packages.ts'
import type { BuildPlan } from '../../image/plan/build-plan.ts'
import { openSpecFolder } from '../../store/spec-folder.ts'
import { renderRow } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'
import { type FoundBase, readBase } from './find-base.ts'
import { nameModelPack } from './image-place.ts'
import { keepModelPack, keepSbom } from './image-papers.ts'
import { codeCache, findOwnCode } from './own-code.ts'
import type { PlannedImages } from './plan-request.ts'
import type { RegistryFlags } from './registry-access.ts'

export interface MadeImage extends BuiltImage {
  readonly plan: BuildPlan
  readonly base: FoundBase
  readonly contents: BaseContents
}

export interface MadeImages {
  readonly layout: OciLayout
  /** The manifest of one platform, or the index of several. */
  readonly root: Descriptor
  readonly images: readonly [MadeImage, ...MadeImage[]]
  readonly modelPack: Descriptor
}

export interface MakeOptions {
  readonly terminal: Terminal
  readonly flags: RegistryFlags
  readonly cache: string
  readonly cwd: string
  readonly epochS: number
  readonly signal: AbortSignal
  /** Looks at the finished image before anything leads to it, and may throw. */
  check?(root: Descriptor): void
  onLayer(layer: MadeLayer): void
  onStep(text: string): void
}

/** Builds every planned image into the layout beside the spec, with its SBOM and its model in ModelPack form. */
export async function makeImages(planned: PlannedImages, options: MakeOptions): Promise<MadeImages> {
  const { specDir, runtime, plans, service } = planned
  const { cache, signal, epochS } = options
  const layout = openLayout(openSpecFolder(specDir, 'images'))
  const bases = openLayout(join(cache, 'bases'))
  const layers = openLayerCache(join(cache, 'layers'))
  options.onStep('preparing the code')
  const codeRoot = await findOwnCode(runtime.code, cache)
  const workshop: Workshop = {
    packages: openPackageCache(join(cache, 'packages'), { fetch: fetchWithNpm }),
    codeRoot,
    layers,
    store: layout.blobs,
    epochS,
    signal,
    onLayer: options.onLayer,
  }
  const make = async (plan: BuildPlan): Promise<MadeImage> => {
    options.onStep(`opening the base ${plan.base.reference}`)
    const search = { terminal: options.terminal, flags: options.flags, bases, folder: options.cwd, signal }
    const { base, contents } = await readBase(plan.base.reference, plan.platform, search)
    checkLibraries(options.terminal, plan, contents)
    options.onStep('making layers; packages that are not at hand are fetched')
    return { ...(await buildImage(plan, base, workshop)), plan, base, contents }
  }
  const [firstPlan, ...otherPlans] = plans
  const first = await make(firstPlan)
  const others: MadeImage[] = []
  for (const plan of otherPlans) others.push(await make(plan))
  const images = [first, ...others] as const
  const root = others.length === 0 ? first.manifest : await buildIndex(images, layout.blobs)
  const modelPack = await keepModelPack(layout.blobs, first, planned, epochS)
  options.check?.(root)
  signal.throwIfAborted()
  // A name only when all is there; what said something about the image before goes with it.
  await layout.setReference(service.name, root)
  await layout.setReference(nameModelPack(service.name), modelPack)
  for (const image of images) await layout.setReference(undefined, await keepSbom(layout.blobs, image, planned, epochS))
  const nowMs = Date.now()
  await bases.forgetIdle(nowMs)
  for (const shelf of [layout, bases]) await retryMended(shelf.blobs, () => shelf.collectGarbage(nowMs))
  await layers.prune(nowMs)
  await workshop.packages.prune(nowMs)
  await pruneFolders([codeCache(cache)], nowMs)
  return { layout, root, images, modelPack }
}

/** Node and ONNX Runtime are made for glibc; what cannot be told from the files is not judged. */
function checkLibraries(terminal: Terminal, { base }: BuildPlan, { libc, hasCppLibrary }: BaseContents): void {
  if (libc === 'musl')
    throw new TowlineError('TL_BASE_UNFIT', `${base.reference} has musl, and Node and ONNX Runtime need glibc`, {
      hint: 'name a base with glibc, such as a Debian or distroless one',
    })
  if (libc === undefined)
    terminal.err(renderRow('warning', `${base.reference} shows no C library; Node and ONNX Runtime need glibc`))
  else if (!hasCppLibrary)
    throw new TowlineError('TL_BASE_UNFIT', `${base.reference} has no libstdc++.so.6, which Node needs`, {
      hint: 'name a base for C++ programs, such as distroless cc, or one of Debian',
    })
}

import { join, relative } from 'node:path'
import { TowlineError } from '../../../base/errors.ts'
import type { MadeLayer } from '../../../image/build/build-image.ts'
import { imagePaths } from '../../../image/plan/build-plan.ts'
import { layerLimitOf } from '../../../compat/layer-limits.ts'
import type { Descriptor } from '../../../image/oci/descriptor.ts'
import { type Reference, parseReference } from '../../../image/registry/reference.ts'
import { findModelFiles } from '../../../serve/model-files.ts'
import { readOnnxMetadata } from '../../../serve/runtime/onnx-metadata.ts'
import type { CliContext } from '../../context.ts'
import { cacheFolder } from '../../../store/cache-folder.ts'
import { type LocalImage, type LocalPlace, findReferrers } from '../../image/image-place.ts'
import { runInterruptible } from '../../image/interruptible.ts'
import { nameInLocks, writeLock } from '../../image/lock-file.ts'
import { type MadeImages, makeImages } from '../../image/make-images.ts'
import { findOwnCode } from '../../image/own-code.ts'
import { parsePlatform } from '../../image/platform.ts'
import { type PlannedImages, planImages } from '../../image/plan-request.ts'
import { type Pushed, pushLocal } from '../../image/push-image.ts'
import { parseOutput, writeImage } from '../../image/write-image.ts'
import { writeDockerfile } from '../../image/write-dockerfile.ts'
import { renderRow } from '../../term/layout.ts'
import { describeBuilt, renderBuilt } from '../../view/image/built-rows.ts'
import { renderPushed } from '../../view/image/pushed-rows.ts'
import { describePlan, renderPlan } from '../../view/image/plan-rows.ts'

export interface BuildFlags {
  readonly env?: string
  readonly plan: boolean
  readonly dockerfile: boolean
  readonly npmrc: boolean
  readonly platform?: readonly string[]
  readonly base?: string
  readonly update: boolean
  readonly locked: boolean
  readonly output?: string
  readonly push?: string
  readonly label?: readonly (readonly [key: string, value: string])[]
  readonly maxLayer: number
  readonly plainHttp: boolean
  readonly json: boolean
}

/** Reading a model whole takes as much memory. */
const maxParsedBytes = 512 << 20

interface Destinations {
  readonly output: LocalPlace | undefined
  readonly target: Reference | undefined
}

/** The image of a service: planned, written as a Dockerfile, or built. */
export async function build(this: CliContext, flags: BuildFlags, file: string): Promise<void> {
  const { terminal, cwd } = this
  refuseMixed(flags)
  // Before anything is made: a typo should cost a second, not a build.
  const destinations: Destinations = {
    output: flags.output === undefined ? undefined : parseOutput(flags.output, cwd),
    target: flags.push === undefined ? undefined : parseReference(flags.push),
  }
  const { target } = destinations
  const limitBytes = target === undefined ? undefined : layerLimitOf(target.registry)?.maxBytes
  const planned = await planImages(terminal, {
    file,
    overlay: flags.env,
    base: flags.base,
    // Never the platform of this machine: the same command gives the same image everywhere.
    platforms: (flags.platform ?? ['linux/amd64']).map(parsePlatform),
    labels: Object.fromEntries(flags.label ?? []),
    maxLayerBytes: Math.min(flags.maxLayer, limitBytes ?? Infinity),
    update: flags.update,
    locked: flags.locked,
  })
  refuseUnreadable(planned)
  if (flags.plan) {
    const described = planned.plans.map(describePlan)
    terminal.out(flags.json ? JSON.stringify(described, undefined, 2) : described.flatMap(renderPlan).join('\n'))
  } else if (flags.dockerfile) await writeFiles(this, flags, planned)
  else await buildAll(this, flags, planned, destinations)
}

async function writeFiles({ terminal, cwd }: CliContext, flags: BuildFlags, planned: PlannedImages): Promise<void> {
  const codeRoot = await findOwnCode(planned.runtime.code, cacheFolder())
  const written = await writeDockerfile(planned, codeRoot, flags.npmrc)
  if (flags.json) return terminal.out(JSON.stringify(written, undefined, 2))
  const folder = relative(cwd, planned.specDir) || '.'
  const secret = flags.npmrc ? '--secret id=npmrc,src=$HOME/.npmrc ' : ''
  terminal.out(renderRow('wrote', written.paths.map((path) => relative(cwd, path)).join(', ')))
  terminal.out(
    renderRow('next', `docker build ${secret}-f ${join(folder, written.file)} -t ${planned.service.name} ${folder}`),
  )
}

async function buildAll(
  context: CliContext,
  flags: BuildFlags,
  planned: PlannedImages,
  { output, target }: Destinations,
): Promise<void> {
  const { terminal, cwd } = context
  const startMs = performance.now()
  const epochS = readEpoch(process.env['SOURCE_DATE_EPOCH'])
  const work = { label: 'build', first: 'starting', stopped: () => 'no image was named or pushed' }
  const made = await runInterruptible(context, work, async (signal, progress) => {
    const images = await makeImages(planned, {
      terminal,
      flags,
      cache: cacheFolder(),
      cwd,
      epochS,
      signal,
      ...(flags.locked ? { check: (root) => checkLocked(planned, root) } : {}),
      onStep: (text) => progress.say(text),
      onLayer: ({ name }: MadeLayer) => progress.say(`made the layer ${name}`),
    })
    signal.throwIfAborted()
    if (output === undefined) return images
    progress.say(`writing ${flags.output}`)
    await writeImage(await localImageOf(images), output, { name: planned.service.name, tag: 'latest' })
    return images
  })
  const lockChanged = keepLock(planned, made)
  const built = describeBuilt(planned, made, { tookMs: performance.now() - startMs, lockChanged })
  if (!flags.json)
    terminal.out(renderBuilt(built, { cwd, output: flags.output, pushes: target !== undefined }).join('\n'))
  const pushed = target === undefined ? undefined : await pushMade(context, flags, planned, made, target)
  if (flags.json) terminal.out(JSON.stringify(pushed === undefined ? built : { ...built, pushed }, undefined, 2))
  else if (pushed !== undefined) terminal.out(renderPushed(pushed, pushed.lockFiles, cwd).join('\n'))
}

async function localImageOf({ root, layout }: MadeImages): Promise<LocalImage> {
  return { root, blobs: layout.blobs, referrers: await findReferrers(root, layout) }
}

async function pushMade(
  context: CliContext,
  flags: BuildFlags,
  { specDir }: PlannedImages,
  made: MadeImages,
  target: Reference,
): Promise<Pushed & { readonly lockFiles: readonly string[] }> {
  const request = { image: await localImageOf(made), target, specDir }
  const pushed = await pushLocal(context, flags, request)
  return { ...pushed, lockFiles: await nameInLocks(specDir, pushed.digest, pushed.reference) }
}

/** Returns whether the lock changed. A name that a push gave it stays, as long as it is the same image. */
function keepLock({ service, inputs, model, lock, lockFile }: PlannedImages, { root, images }: MadeImages): boolean {
  const { pinned } = images[0].base
  const known = lock?.image?.endsWith(`@${root.digest}`) === true ? lock.image : undefined
  return writeLock(lockFile, {
    inputs,
    image: known ?? `${service.name}@${root.digest}`,
    ...(pinned === undefined ? {} : { base: pinned }),
    model: { uri: `image://${imagePaths.models}`, digest: model.digest },
  })
}

/** A build does not run the model, but what is no ONNX file at all should not get into production. Large ones are not read. */
function refuseUnreadable({ service, model }: PlannedImages): void {
  const { modelFile } = findModelFiles(service.model.path)
  if (model.files.some(({ file, sizeBytes }) => file === modelFile && sizeBytes > maxParsedBytes)) return
  readOnnxMetadata(modelFile)
}

/** Before the image gets its name, so that nothing that was refused is pushed afterwards. */
function checkLocked({ lock, lockFile, inputs, model }: PlannedImages, { digest }: Descriptor): void {
  const pinned = lock?.image?.split('@')[1]
  if (pinned === digest && lock?.inputs === inputs) return
  const seen = lock === undefined ? 'is not there' : pinned === undefined ? 'names no image' : `names ${pinned}`
  const other = lock?.model?.digest === model.digest ? undefined : 'the model'
  const changed =
    other ?? (lock?.inputs === inputs ? 'a setting, the base or towline' : 'model, image or build in the spec')
  const reason = lock === undefined ? '' : `: ${changed} is another`
  throw new TowlineError('TL_LOCK_MISMATCH', `${lockFile} ${seen}, and this is ${digest}${reason}`, {
    hint: 'build without --locked where the change is meant, and commit the lock',
  })
}

function refuseMixed({ plan, dockerfile, npmrc, output, push, locked, platform = [] }: BuildFlags): void {
  const refuse = (what: string): never => {
    throw new TowlineError('TL_USAGE', what, { hint: 'see `towline build --help`' })
  }
  if (plan && dockerfile) refuse('--plan and --dockerfile are two different things')
  if ((plan || dockerfile) && (output !== undefined || push !== undefined || locked))
    refuse(`${plan ? '--plan' : '--dockerfile'} builds no image: --output, --push and --locked have no effect`)
  if (npmrc && !dockerfile) refuse('--npmrc is for --dockerfile: here the npm of this machine fetches packages')
  if (dockerfile && platform.length > 0)
    refuse('a Dockerfile is for any platform: `docker build --platform` chooses, not --platform here')
  if (new Set(platform).size < platform.length) refuse(`--platform names one twice: ${platform.join(', ')}`)
}

/** Of reproducible-builds.org: a whole number of seconds since 1970. */
function readEpoch(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new TowlineError('TL_USAGE', `SOURCE_DATE_EPOCH is \`${text}\`; it is a whole number of seconds since 1970`)
}

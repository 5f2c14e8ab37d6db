import { dirname, join, resolve } from 'node:path'
import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import { defaultBase } from '../../compat/base-images.ts'
import { parseBaseSpec } from '../../image/base/base-spec.ts'
import { parseReference } from '../../image/registry/reference.ts'
import { checkFiles } from '../../image/layer/file-check.ts'
import type { Platform } from '../../image/oci/descriptor.ts'
import type { BuildPlan, PlannedBase } from '../../image/plan/build-plan.ts'
import { planImage } from '../../image/plan/plan-image.ts'
import { type RuntimeLock, readRuntimeLock } from '../../image/runtime/runtime-lock.ts'
import { loadSpec } from '../../spec/load.ts'
import { inputsHash, type Lock } from '../../spec/lock.ts'
import { type ModelPrint, listModel, printModel } from '../../spec/model/model-print.ts'
import { viewDocument } from '../../spec/rules/document-view.ts'
import type { Service } from '../../spec/service.ts'
import { printDiagnostics } from '../term/failure.ts'
import { openProgress } from '../term/progress.ts'
import type { Terminal } from '../term/terminal.ts'
import { describeSettings } from './replica-settings.ts'
import { lockFileOf, readLock } from './lock-file.ts'

export interface ImageRequest {
  readonly file: string
  readonly overlay?: string | undefined
  /** Instead of `build.base` and the table. */
  readonly base?: string | undefined
  readonly platforms: readonly Platform[]
  readonly labels: Readonly<Record<string, string>>
  readonly maxLayerBytes: number
  /** Takes the base as it is named now, not as the lock has it. */
  readonly update: boolean
  /** Refuses another base than the lock has, before anything is fetched. */
  readonly locked: boolean
}

export interface PlannedImages {
  readonly service: Service
  /** Where the spec lies, and the build context. */
  readonly specDir: string
  readonly model: ModelPrint
  readonly runtime: RuntimeLock
  readonly inputs: string
  readonly lockFile: string
  readonly lock: Lock | undefined
  /** One for each platform. */
  readonly plans: readonly [BuildPlan, ...BuildPlan[]]
}

/** Reads the spec, its lock and the model, and plans. Prints all findings; TL_SPEC_INVALID or TL_CONTEXT_REFUSED when one is an error. */
export async function planImages(terminal: Terminal, request: ImageRequest): Promise<PlannedImages> {
  const { file, overlay } = request
  const { document, service, diagnostics } = await loadSpec(file, {
    target: 'Image',
    ...(overlay === undefined ? {} : { overlay }),
  })
  printDiagnostics(terminal, diagnostics)
  if (service === undefined || hasErrors(diagnostics)) {
    const count = diagnostics.filter(({ severity }) => severity === 'error').length
    throw new TowlineError('TL_SPEC_INVALID', `${count} ${count === 1 ? 'error' : 'errors'} in ${file}`)
  }
  await refuseSecrets(terminal, service.model.path)
  const model = await readModel(terminal, service.model.path)
  if (service.model.digest !== undefined && service.model.digest !== model.digest)
    throw new TowlineError(
      'TL_SPEC_INVALID',
      `model.digest is ${service.model.digest}, the files have ${model.digest}`,
      {
        hint: 'use the model that was meant, or write the new digest',
      },
    )
  const lockFile = lockFileOf(file, overlay)
  const lock = await readLock(terminal, lockFile)
  const { lock: runtime, hash: runtimeHash } = readRuntimeLock()
  const inputs = inputsHash(document)
  const base = chooseBase(request, viewDocument(document).textAt('spec', 'build', 'base'), lock)
  const plans = request.platforms.map((platform) =>
    planImage({
      name: service.name,
      platform,
      base,
      model,
      settings: describeSettings(service, model.isFolder),
      startupTimeoutMs: service.lifecycle.startupTimeoutMs,
      inputsHash: inputs,
      runtime,
      runtimeHash,
      labels: request.labels,
      env: service.env.map(({ name }) => name),
      maxLayerBytes: request.maxLayerBytes,
    }),
  )
  const [first, ...others] = plans
  if (first === undefined) throw new TowlineError('TL_USAGE', 'no platform is named')
  return { service, specDir: dirname(resolve(file)), model, runtime, inputs, lockFile, lock, plans: [first, ...others] }
}

/** Ten gigabytes take ten seconds. */
async function readModel(terminal: Terminal, path: string): Promise<ModelPrint> {
  const progress = openProgress(terminal, 'model', `reading ${path}`)
  try {
    return await printModel(path)
  } finally {
    progress.end()
  }
}

/** What the lock pins of the same name wins, so that the next build stands on the same bytes. */
function chooseBase(
  { base, update, locked }: ImageRequest,
  stated: string | undefined,
  lock: Lock | undefined,
): PlannedBase {
  const row = defaultBase('onnx')
  const named =
    base !== undefined
      ? { reference: base, why: 'as --base says' }
      : stated !== undefined
        ? { reference: stated, why: 'as build.base says' }
        : { reference: row.reference, why: row.why }
  if (parseBaseSpec(named.reference, '/').kind === 'Registry') parseReference(named.reference)
  const pinned = lock?.base
  if (locked && pinned !== undefined && pinned.split('@')[0] !== named.reference.split('@')[0])
    throw new TowlineError(
      'TL_LOCK_MISMATCH',
      `the lock stands on ${pinned}, and this build would on ${named.reference}`,
      {
        hint: `write build.base in the spec, or --base ${pinned.split('@')[0]}`,
      },
    )
  if (update || pinned === undefined || pinned.split('@')[0] !== named.reference) return named
  return { reference: pinned, why: `${named.why}; the bytes that the lock pins` }
}

/** Whoever can pull an image can read all of it. */
async function refuseSecrets(terminal: Terminal, modelPath: string): Promise<void> {
  const { entries, folder, leftBehind } = await listModel(modelPath)
  const findings = await checkFiles(entries, folder)
  printDiagnostics(terminal, findings)
  for (const path of leftBehind) terminal.err(`  left out     ${join(folder, path)}`)
  if (!hasErrors(findings)) return
  const files = new Set(findings.map(({ at }) => at.file))
  throw new TowlineError('TL_CONTEXT_REFUSED', [...files].join(', '), {
    hint: 'the lines above say why, and what to do',
  })
}

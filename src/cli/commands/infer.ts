import { TowlineError } from '../../base/errors.ts'
import type { CliContext } from '../context.ts'
import { type Inference, keyHeader, readInference, readPayload, renderClasses, sendPayload } from '../inference.ts'
import { useControl } from '../place.ts'
import { type PlaceFlags, isCluster } from '../place-flags.ts'
import { findProjectDir } from '../project.ts'
import { isAddress, resolveTarget } from '../target.ts'
import { renderRow } from '../term/layout.ts'

export interface InferFlags extends PlaceFlags {
  readonly json: boolean
  readonly top?: number
  readonly timeout: number
}

export async function infer(this: CliContext, flags: InferFlags, target: string, file: string): Promise<void> {
  const { terminal } = this
  const inference = await ask(this, flags, target, file)
  const classes = flags.json ? undefined : renderClasses(file, inference)
  terminal.out(
    classes === undefined
      ? JSON.stringify(inference.body, undefined, flags.json ? undefined : 2)
      : renderRow('', classes).trimStart(),
  )
}

/** An address is asked straight; a service of a cluster through its API server, whoever else may reach it. */
async function ask(context: CliContext, flags: InferFlags, target: string, file: string): Promise<Inference> {
  if (isCluster(flags) && isAddress(target))
    throw new TowlineError('TL_USAGE', `both the address ${target} and a cluster`, {
      hint: 'an address is asked straight, the name of a service through the API server of its cluster',
    })
  const payload = readPayload(file)
  const { top, timeout: timeoutMs } = flags
  if (isCluster(flags))
    return useControl(context, flags, async (control) =>
      readInference(await control.infer(target, payload, { topK: top, headers: keyHeader(), timeoutMs })),
    )
  const url = await resolveTarget(findProjectDir(context.cwd, flags.project), target)
  return sendPayload(payload, { url, top, timeoutMs })
}

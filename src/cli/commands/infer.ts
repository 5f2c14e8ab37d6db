import type { CliContext } from '../context.ts'
import { readPayload, renderClasses, sendPayload } from '../inference.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { findProjectDir } from '../project.ts'
import { resolveTarget } from '../target.ts'
import { renderRow } from '../term/layout.ts'

export interface InferFlags extends PlaceFlags {
  readonly json: boolean
  readonly top?: number
  readonly timeout: number
}

export async function infer(this: CliContext, flags: InferFlags, target: string, file: string): Promise<void> {
  const { terminal } = this
  const url = await resolveTarget(findProjectDir(this.cwd, flags.project), target)
  const inference = await sendPayload(readPayload(file), { url, top: flags.top, timeoutMs: flags.timeout })
  const classes = flags.json ? undefined : renderClasses(file, inference)
  terminal.out(
    classes === undefined
      ? JSON.stringify(inference.body, undefined, flags.json ? undefined : 2)
      : renderRow('', classes).trimStart(),
  )
}

import { TowlineError } from '../../base/errors.ts'
import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { takeDown } from '../take-down.ts'
import { renderRow } from '../term/layout.ts'
import { findService } from './status.ts'

export interface DownFlags {
  readonly all: boolean
  readonly project?: string
}

export async function down(this: CliContext, flags: DownFlags, name?: string): Promise<void> {
  if (flags.all === (name !== undefined))
    throw new TowlineError('TL_USAGE', 'name one service, or say --all', { hint: '`towline status` lists them' })
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const now = await engine.status()
  const names = name === undefined ? now.services.map((service) => service.name) : [findService(now, name).name]
  await takeDown(this.terminal, engine, names)
  this.terminal.out(renderRow('stopped', names.join(', ') || 'nothing was running'))
}

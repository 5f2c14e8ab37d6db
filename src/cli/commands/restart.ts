import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { settle } from '../settle.ts'
import { findService } from './status.ts'

export interface RestartFlags {
  readonly project?: string
}

export async function restart(this: CliContext, flags: RestartFlags, name: string): Promise<void> {
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  findService(await engine.status(), name)
  await engine.restart(name)
  await settle(this.terminal, engine, { name, label: 'restart' })
}

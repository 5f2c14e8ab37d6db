import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { settle } from '../rollout/settle.ts'
import { findService } from './status.ts'

export interface ScaleFlags {
  readonly project?: string
}

export async function scale(this: CliContext, flags: ScaleFlags, name: string, replicas: number): Promise<void> {
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  findService(await engine.status(), name)
  await engine.scale(name, replicas)
  await settle(this.terminal, engine, { name, label: 'scale' })
}

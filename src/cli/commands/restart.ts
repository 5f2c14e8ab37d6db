import { TowlineError } from '../../base/errors.ts'
import { type EngineClient, connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { settle } from '../settle.ts'
import { renderRow } from '../term/layout.ts'
import { openProgress } from '../term/progress.ts'
import type { Terminal } from '../term/terminal.ts'
import { findService } from './status.ts'

export interface RestartFlags {
  readonly gateway: boolean
  readonly project?: string
}

export async function restart(this: CliContext, flags: RestartFlags, name?: string): Promise<void> {
  if (flags.gateway === (name !== undefined))
    throw new TowlineError('TL_USAGE', flags.gateway ? `both \`--gateway\` and ${name}` : 'nothing to restart', {
      hint: '`towline restart NAME` replaces replicas, `towline restart --gateway` the gateway',
    })
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  if (name === undefined) return await restartGateway(this.terminal, engine)
  findService(await engine.status(), name)
  await engine.restart(name)
  await settle(this.terminal, engine, { name, label: 'restart' })
}

async function restartGateway(terminal: Terminal, engine: EngineClient): Promise<void> {
  const progress = openProgress(terminal, 'restart', 'a new gateway takes over')
  try {
    const { gateway } = await engine.restartGateway()
    progress.end()
    terminal.out(
      renderRow('ready', `the gateway is process ${gateway.pid}; the one before it answers what it owes and ends`),
    )
  } finally {
    progress.end()
  }
}

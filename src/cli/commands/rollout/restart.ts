import { TowlineError } from '../../../base/errors.ts'
import { type EngineClient, connectEngine } from '../../../control/client.ts'
import type { CliContext } from '../../context.ts'
import { giveAndFollow, seeService } from '../../rollout/give-order.ts'
import { findProjectDir } from '../../project.ts'
import { settle } from '../../rollout/settle.ts'
import { renderRow } from '../../term/layout.ts'
import { openProgress } from '../../term/progress.ts'
import type { Terminal } from '../../term/terminal.ts'

export interface RestartFlags {
  readonly gateway: boolean
  readonly project?: string
}

export async function restart(this: CliContext, flags: RestartFlags, name?: string): Promise<void> {
  if (flags.gateway === (name !== undefined))
    throw new TowlineError('TL_USAGE', flags.gateway ? `both \`--gateway\` and ${name}` : 'nothing to restart', {
      hint: '`towline restart NAME` replaces replicas, `towline restart --gateway` the gateway',
    })
  if (name === undefined)
    return await restartGateway(this.terminal, await connectEngine(findProjectDir(this.cwd, flags.project)))
  const seen = await seeService(this, { ...flags, json: false }, name)
  const done = `revision ${seen.service.revision} again, with new replicas`
  const ordered = { order: { verb: 'Restart' }, label: 'restart', done } as const
  const outcome = await giveAndFollow(this, seen, { json: false, wait: true }, ordered)
  // Old replicas still answer what they owe.
  if (outcome?.kind === 'Ended') await settle(this.terminal, seen.engine, { name, label: 'restart' })
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

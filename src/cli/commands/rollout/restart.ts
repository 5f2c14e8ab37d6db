import { TowlineError } from '../../../base/errors.ts'
import { isEngine } from '../../../control/client.ts'
import type { ServiceControl } from '../../../control/service-control.ts'
import type { CliContext } from '../../context.ts'
import { giveAndFollow, useService } from '../../rollout/give-order.ts'
import { describePlace, useControl } from '../../place.ts'
import type { PlaceFlags } from '../../place-flags.ts'
import { settle } from '../../rollout/settle.ts'
import { renderRow } from '../../term/layout.ts'
import { openProgress } from '../../term/progress.ts'
import type { Terminal } from '../../term/terminal.ts'

export interface RestartFlags extends PlaceFlags {
  readonly gateway: boolean
}

export async function restart(this: CliContext, flags: RestartFlags, name?: string): Promise<void> {
  if (flags.gateway === (name !== undefined))
    throw new TowlineError('TL_USAGE', flags.gateway ? `both \`--gateway\` and ${name}` : 'nothing to restart', {
      hint: '`towline restart NAME` replaces replicas, `towline restart --gateway` the gateway',
    })
  if (name === undefined) return useControl(this, flags, (control) => restartGateway(this.terminal, control))
  await useService(this, flags, name, async (seen) => {
    const done = `revision ${seen.service.revision} again, with new replicas`
    const ordered = { order: { verb: 'Restart' }, label: 'restart', done } as const
    const outcome = await giveAndFollow(this, seen, { json: false, wait: true }, ordered)
    // Old replicas still answer what they owe.
    if (outcome?.kind === 'Ended') await settle(this.terminal, seen.control, { name, label: 'restart' })
  })
}

async function restartGateway(terminal: Terminal, control: ServiceControl): Promise<void> {
  if (!isEngine(control))
    throw new TowlineError('TL_USAGE', `${describePlace(control.place)} has no gateway of ours`, {
      hint: 'a Service of the cluster stands before its replicas',
    })
  const progress = openProgress(terminal, 'restart', 'a new gateway takes over')
  try {
    const { gateway } = await control.restartGateway()
    progress.end()
    terminal.out(
      renderRow('ready', `the gateway is process ${gateway.pid}; the one before it answers what it owes and ends`),
    )
  } finally {
    progress.end()
  }
}

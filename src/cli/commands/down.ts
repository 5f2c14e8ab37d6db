import { TowlineError } from '../../base/errors.ts'
import { isEngine } from '../../control/client.ts'
import { findService } from '../../control/find-service.ts'
import type { CliContext } from '../context.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { takeDown } from '../take-down.ts'
import { renderRow } from '../term/layout.ts'

export interface DownFlags extends PlaceFlags {
  readonly all: boolean
}

export async function down(this: CliContext, flags: DownFlags, name?: string): Promise<void> {
  if (flags.all === (name !== undefined))
    throw new TowlineError('TL_USAGE', 'name one service, or say --all', { hint: '`towline status` lists them' })
  const names = await useControl(this, flags, async (control) => {
    const chosen = name === undefined ? (await control.services()).map((service) => service.name) : [name]
    // On a cluster there may be the rest of a service that was taken down in part: no Deployment, and so none in the list.
    if (name !== undefined && isEngine(control)) findService(await control.services(), name)
    await takeDown(this.terminal, control, chosen)
    return chosen
  })
  this.terminal.out(renderRow('stopped', names.join(', ') || 'nothing was running'))
}

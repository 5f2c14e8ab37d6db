import { TowlineError } from '../../base/errors.ts'
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
    const services = await control.services()
    const chosen = name === undefined ? services.map((service) => service.name) : [findService(services, name).name]
    await takeDown(this.terminal, control, chosen)
    return chosen
  })
  this.terminal.out(renderRow('stopped', names.join(', ') || 'nothing was running'))
}

import { findService } from '../../control/find-service.ts'
import type { CliContext } from '../context.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { settle } from '../rollout/settle.ts'

export async function scale(this: CliContext, flags: PlaceFlags, name: string, replicas: number): Promise<void> {
  await useControl(this, flags, async (control) => {
    findService(await control.services(name), name)
    await control.scale(name, replicas)
    await settle(this.terminal, control, { name, label: 'scale' })
  })
}

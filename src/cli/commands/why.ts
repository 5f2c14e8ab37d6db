import { findService } from '../../control/find-service.ts'
import type { CliContext } from '../context.ts'
import { explainService } from '../view/explanation.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'

export interface WhyFlags extends PlaceFlags {
  readonly json: boolean
}

/** More are in `towline events`. */
const toldEvents = 5

export async function why(this: CliContext, flags: WhyFlags, name: string): Promise<void> {
  const { service, events } = await useControl(this, flags, async (control) => ({
    service: findService(await control.services(), name),
    events: await control.events(name, toldEvents),
  }))
  const sentences = explainService(service, events, Date.now())
  this.terminal.out(flags.json ? JSON.stringify({ sentences, service, events }, undefined, 2) : sentences.join(' '))
}

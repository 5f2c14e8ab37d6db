import { isEngine } from '../../control/client.ts'
import { isRoutine } from '../../control/cluster/cluster-events.ts'
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
/** Of a cluster most are about pods that come and go. */
const seenEvents = 50

export async function why(this: CliContext, flags: WhyFlags, name: string): Promise<void> {
  const { service, events } = await useControl(this, flags, async (control) => {
    const found = findService(await control.services(name), name)
    if (isEngine(control)) return { service: found, events: await control.events(name, toldEvents) }
    const all = await control.events(name, seenEvents)
    const telling = found.phase === 'Ready' ? all.filter((event) => !isRoutine(event)) : all
    return { service: found, events: telling.slice(-toldEvents) }
  })
  const sentences = explainService(service, events, Date.now())
  this.terminal.out(flags.json ? JSON.stringify({ sentences, service, events }, undefined, 2) : sentences.join(' '))
}

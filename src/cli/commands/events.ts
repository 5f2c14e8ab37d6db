import { formatMs, shortenDigests } from '../../base/display.ts'
import { findService } from '../../control/find-service.ts'
import type { CliContext } from '../context.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { renderTable } from '../term/layout.ts'

export interface EventsFlags extends PlaceFlags {
  readonly count: number
  readonly json: boolean
}

export async function events(this: CliContext, flags: EventsFlags, name: string): Promise<void> {
  const list = await useControl(this, flags, async (control) => {
    findService(await control.services(name), name)
    return control.events(name, flags.count)
  })
  if (flags.json) return this.terminal.out(JSON.stringify(list, undefined, 2))
  const nowMs = Date.now()
  const rows = list.map(({ atMs, service, replica, reason, message }) => [
    `${formatMs(Math.max(0, nowMs - atMs))} ago`,
    replica ?? service ?? 'gateway',
    reason,
    shortenDigests(message),
  ])
  this.terminal.out(renderTable(['WHEN', 'WHO', 'WHAT', 'MORE'], rows))
}

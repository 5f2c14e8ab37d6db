import { setTimeout as sleep } from 'node:timers/promises'
import { findService } from '../../control/find-service.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { compareLoads, renderLoads } from '../view/load-table.ts'
import { useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import type { Terminal } from '../term/terminal.ts'

export interface TopFlags extends PlaceFlags {
  readonly interval: number
  readonly json: boolean
}

/** On a terminal it goes on until Ctrl-C; into a pipe, or as JSON, it prints what one interval showed. */
export async function top(this: CliContext, flags: TopFlags, name?: string): Promise<void> {
  await useControl(this, flags, (control) => show(this.terminal, control, flags, name))
}

async function show(
  terminal: Terminal,
  control: ServiceControl,
  flags: TopFlags,
  name: string | undefined,
): Promise<void> {
  if (name !== undefined) findService(await control.services(name), name)
  const goesOn = terminal.live && process.stdout.isTTY && !flags.json
  const interrupt = openInterrupt(terminal, 'watching')
  try {
    let before = await control.load(name)
    for (;;) {
      await sleep(flags.interval, undefined, { signal: interrupt.signal })
      const after = await control.load(name)
      const rows = compareLoads(before, after)
      if (flags.json)
        terminal.out(
          JSON.stringify(
            rows.map((row) => ({ ...row, name: row.name.trim() })),
            undefined,
            2,
          ),
        )
      else if (goesOn) terminal.redraw(renderLoads(rows))
      else terminal.out(renderLoads(rows))
      if (!goesOn) return
      before = after
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.close()
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadStatus } from '../../control/api.ts'
import { type EngineClient, connectEngine } from '../../control/client.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { compareLoads, renderLoads } from '../view/load-table.ts'
import { findProjectDir } from '../project.ts'
import { findService } from './status.ts'

export interface TopFlags {
  readonly interval: number
  readonly json: boolean
  readonly project?: string
}

const clearScreen = '\u001b[H\u001b[2J'

/** On a terminal it goes on until Ctrl-C; into a pipe, or as JSON, it prints what one interval showed. */
export async function top(this: CliContext, flags: TopFlags, name?: string): Promise<void> {
  const { terminal } = this
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  if (name !== undefined) findService(await engine.status(), name)
  const goesOn = terminal.live && process.stdout.isTTY && !flags.json
  const interrupt = openInterrupt(terminal, 'watching')
  try {
    let before = await readLoad(engine, name)
    for (;;) {
      await sleep(flags.interval, undefined, { signal: interrupt.signal })
      const after = await readLoad(engine, name)
      const rows = compareLoads(before, after)
      if (flags.json)
        terminal.out(
          JSON.stringify(
            rows.map((row) => ({ ...row, name: row.name.trim() })),
            undefined,
            2,
          ),
        )
      else terminal.out(`${goesOn ? clearScreen : ''}${renderLoads(rows)}`)
      if (!goesOn) return
      before = after
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.close()
  }
}

async function readLoad(engine: EngineClient, name: string | undefined): Promise<LoadStatus> {
  const load = await engine.load()
  return { ...load, services: load.services.filter((service) => name === undefined || service.name === name) }
}

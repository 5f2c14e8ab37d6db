import { setTimeout as sleep } from 'node:timers/promises'
import { TowlineError } from '../../base/errors.ts'
import type { EngineStatus, ServiceStatus } from '../../control/api.ts'
import { connectEngine } from '../../control/client.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { renderRow } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'
import { renderService } from '../view/service-block.ts'

export interface StatusFlags {
  readonly json: boolean
  readonly watch: boolean
  readonly project?: string
}

const redrawMs = 1000
const clearScreen = '\u001b[H\u001b[2J'

export async function status(this: CliContext, flags: StatusFlags, name?: string): Promise<void> {
  const { terminal } = this
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const now = await engine.status()
  const services = name === undefined ? now.services : [findService(now, name)]
  if (!flags.watch) return print(terminal, flags.json, { ...now, services })
  const interrupt = openInterrupt(terminal, 'watching')
  try {
    if (!flags.json && terminal.live && process.stdout.isTTY)
      return await redraw(terminal, () => engine.status(), name, interrupt.signal)
    await Promise.all(
      services.map(async (service) => {
        for await (const change of engine.watch(service.name, interrupt.signal)) {
          terminal.out(flags.json ? JSON.stringify(change) : renderService(terminal, change, Date.now()))
        }
      }),
    )
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.close()
  }
}

/** In place, each second: ages and counts go on also where nothing else changes. Ends with the service. */
async function redraw(
  terminal: Terminal,
  read: () => Promise<EngineStatus>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const now = await read()
    const services = now.services.filter((service) => name === undefined || service.name === name)
    if (services.length === 0) return
    terminal.out(clearScreen + services.map((service) => renderService(terminal, service, Date.now())).join('\n\n'))
    await sleep(redrawMs, undefined, { signal })
  }
}

/** The service of this name; the error names those there are. */
export function findService({ services }: EngineStatus, name: string): ServiceStatus {
  const found = services.find((service) => service.name === name)
  if (found !== undefined) return found
  const known =
    services.length === 0 ? 'none is running' : `running: ${services.map((service) => service.name).join(', ')}`
  throw new TowlineError('TL_SERVICE_UNKNOWN', `\`${name}\` (${known})`)
}

function print(terminal: Terminal, json: boolean, now: EngineStatus): void {
  if (json) return terminal.out(JSON.stringify(now, undefined, 2))
  for (const service of now.services) terminal.out(renderService(terminal, service, Date.now()))
  const { gateway } = now
  const restarts = gateway.restarts === 0 ? '' : `, restarted ${gateway.restarts} times`
  terminal.out(
    renderRow(
      'engine',
      `pid ${now.pid}, gateway ${gateway.phase.toLowerCase()}${gateway.pid === null ? '' : ` (pid ${gateway.pid})`}${restarts}`,
    ),
  )
}

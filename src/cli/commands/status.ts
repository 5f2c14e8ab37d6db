import { setTimeout as sleep } from 'node:timers/promises'
import { TowlineError } from '../../base/errors.ts'
import type { EngineStatus, ServiceStatus } from '../../control/api.ts'
import { isEngine } from '../../control/client.ts'
import { findService } from '../../control/find-service.ts'
import type { Place, ServiceControl } from '../../control/service-control.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { describePlace, useControl } from '../place.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { renderRow } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'
import { renderService } from '../view/service-block.ts'

export interface StatusFlags extends PlaceFlags {
  readonly json: boolean
  readonly watch: boolean
}

const redrawMs = 1000

export async function status(this: CliContext, flags: StatusFlags, name?: string): Promise<void> {
  await useControl(this, flags, (control) => show(this.terminal, control, flags, name))
}

async function show(
  terminal: Terminal,
  control: ServiceControl,
  flags: StatusFlags,
  name: string | undefined,
): Promise<void> {
  const look = await lookAt(control, name)
  const services = name === undefined ? look.services : [findService(look.services, name)]
  if (!flags.watch) return print(terminal, flags.json, { ...look, services })
  const interrupt = openInterrupt(terminal, 'watching')
  try {
    if (!flags.json && terminal.live && process.stdout.isTTY)
      return await redraw(terminal, async () => await control.services(name), interrupt.signal)
    await Promise.all(
      services.map(async (service) => {
        for await (const change of control.watch(service.name, interrupt.signal)) {
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

/** What there is, and of an engine also what it says of itself. */
type Look = EngineStatus | { readonly place: Place; readonly services: readonly ServiceStatus[] }

async function lookAt(control: ServiceControl, name: string | undefined): Promise<Look> {
  return isEngine(control) ? control.status() : { place: control.place, services: await control.services(name) }
}

/** In place, each second: ages and counts go on also where nothing else changes. Ends with the service. */
async function redraw(
  terminal: Terminal,
  read: () => Promise<readonly ServiceStatus[]>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const services = await read().catch((error: unknown) => {
      if (error instanceof TowlineError && error.code === 'TL_SERVICE_UNKNOWN') return []
      throw error
    })
    if (services.length === 0) return
    terminal.redraw(services.map((service) => renderService(terminal, service, Date.now())).join('\n\n'))
    await sleep(redrawMs, undefined, { signal })
  }
}

function print(terminal: Terminal, json: boolean, look: Look): void {
  if (json) return terminal.out(JSON.stringify(look, undefined, 2))
  for (const service of look.services) terminal.out(renderService(terminal, service, Date.now()))
  if ('place' in look) {
    if (look.services.length === 0)
      terminal.out(renderRow('nothing', 'no service is there; `towline deploy` brings one'))
    return terminal.out(renderRow('cluster', describePlace(look.place)))
  }
  const { gateway } = look
  const restarts = gateway.restarts === 0 ? '' : `, restarted ${gateway.restarts} times`
  terminal.out(
    renderRow(
      'engine',
      `pid ${look.pid}, gateway ${gateway.phase.toLowerCase()}${gateway.pid === null ? '' : ` (pid ${gateway.pid})`}${restarts}`,
    ),
  )
}

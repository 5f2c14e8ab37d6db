import { formatMs } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { EngineStatus, ServiceStatus } from '../../control/api.ts'
import { connectEngine } from '../../control/client.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { renderRow, renderTable } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'

export interface StatusFlags {
  readonly json: boolean
  readonly watch: boolean
  readonly project?: string
}

export async function status(this: CliContext, flags: StatusFlags, name?: string): Promise<void> {
  const { terminal } = this
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const now = await engine.status()
  const services = name === undefined ? now.services : [findService(now, name)]
  if (!flags.watch) return print(terminal, flags.json, { ...now, services })
  const interrupt = openInterrupt(terminal, 'watching')
  try {
    await Promise.all(
      services.map(async (service) => {
        for await (const change of engine.watch(service.name, interrupt.signal)) {
          terminal.out(flags.json ? JSON.stringify(change) : renderService(terminal, change))
        }
      }),
    )
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.close()
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
  for (const service of now.services) terminal.out(renderService(terminal, service))
  const { gateway } = now
  const restarts = gateway.restarts === 0 ? '' : `, restarted ${gateway.restarts} times`
  terminal.out(
    renderRow(
      'engine',
      `pid ${now.pid}, gateway ${gateway.phase.toLowerCase()}${gateway.pid === null ? '' : ` (pid ${gateway.pid})`}${restarts}`,
    ),
  )
}

function renderService(terminal: Terminal, service: ServiceStatus): string {
  const { traffic, scale, lastFailure } = service
  const colour = service.phase === 'Ready' ? 'green' : service.phase === 'Failed' ? 'red' : 'yellow'
  const rows = service.instances.map((replica) => [
    `  ${replica.name}`,
    replica.phase,
    String(replica.revision),
    String(replica.pid ?? '-'),
    String(replica.port ?? '-'),
    replica.startedAtMs === null ? '-' : formatMs(Date.now() - replica.startedAtMs),
    String(replica.restarts),
    replica.lastFailure?.message ?? '',
  ])
  return [
    `${terminal.style('bold', service.name)}  ${terminal.style(colour, service.phase)}  ${service.summary}`,
    renderRow('url', service.url),
    renderRow('traffic', renderTraffic(traffic)),
    ...(scale === null ? [] : [renderRow('scale', renderScale(service, scale))]),
    ...(lastFailure === null
      ? []
      : [
          renderRow(
            'last failure',
            `${formatMs(Date.now() - lastFailure.atMs)} ago: ${lastFailure.message}${lastFailure.hint === null ? '' : ` (${lastFailure.hint})`}`,
          ),
        ]),
    renderTable(['  REPLICA', 'PHASE', 'REVISION', 'PID', 'PORT', 'AGE', 'RESTARTS', 'WHY'], rows),
  ].join('\n')
}

function renderTraffic({ requests, errors, inFlight, waiting, latency }: ServiceStatus['traffic']): string {
  const held = waiting === 0 ? '' : `, ${waiting} held`
  const speed = latency === null ? '' : `, p50 ${formatMs(latency.p50Ms)}, p99 ${formatMs(latency.p99Ms)}`
  return `${requests} requests, ${errors} errors, ${inFlight} in flight${held}${speed}`
}

function renderScale({ replicas }: ServiceStatus, scale: NonNullable<ServiceStatus['scale']>): string {
  const range = scale.minReplicas === null ? '' : ` of ${scale.minReplicas} to ${scale.maxReplicas}`
  const asked = scale.metrics.map(({ metric, replicas: wanted }) => `${metric} asks for ${wanted ?? 'nothing known'}`)
  return [`${replicas.desired}${range}: ${scale.reason}`, ...asked].join(', ')
}

import { formatMs } from '../../base/display.ts'
import type { ServiceStatus, TrafficStatus } from '../../control/api.ts'
import { renderRow, renderTable } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'
import { renderRollout } from './rollout-block.ts'

/** One service as `status` shows it. */
export function renderService(terminal: Pick<Terminal, 'style'>, service: ServiceStatus, nowMs: number): string {
  const { traffic, scale, lastFailure, model } = service
  const colour = service.phase === 'Ready' ? 'green' : service.phase === 'Failed' ? 'red' : 'yellow'
  // A cluster does not know the file.
  const remote = service.file === null
  const rows = service.instances.map((replica) => [
    `  ${replica.name}`,
    replica.phase,
    String(replica.revision),
    ...(remote ? [replica.node ?? '-'] : [String(replica.pid ?? '-'), String(replica.port ?? '-')]),
    replica.startedAtMs === null ? '-' : formatMs(nowMs - replica.startedAtMs),
    String(replica.restarts),
    replica.lastFailure?.message ?? '',
  ])
  return [
    `${terminal.style('bold', service.name)}  ${terminal.style(colour, service.phase)}  ${service.summary}`,
    renderRow('url', service.url),
    ...(remote ? [renderRow('image', model.path)] : []),
    ...(service.environment === null ? [] : [renderRow('environment', service.environment)]),
    ...(traffic === null ? [] : [renderRow('traffic', renderTraffic(traffic))]),
    ...(scale === null ? [] : [renderRow('scale', renderScale(service, scale))]),
    ...renderRollout(service, nowMs),
    ...(lastFailure === null || isRejection(service)
      ? []
      : [
          renderRow(
            'last failure',
            `${formatMs(nowMs - lastFailure.atMs)} ago: ${lastFailure.message}${lastFailure.hint === null ? '' : ` (${lastFailure.hint})`}`,
          ),
        ]),
    renderTable(
      ['  REPLICA', 'PHASE', 'REVISION', ...(remote ? ['NODE'] : ['PID', 'PORT']), 'AGE', 'RESTARTS', 'WHY'],
      rows,
    ),
  ].join('\n')
}

/** Its own row says it already. */
function isRejection({ lastFailure, rejected }: ServiceStatus): boolean {
  return lastFailure !== null && lastFailure.message === rejected?.message
}

function renderTraffic({ requests, errors, inFlight, waiting, latency }: TrafficStatus): string {
  const held = waiting === 0 ? '' : `, ${waiting} held`
  const speed = latency === null ? '' : `, p50 ${formatMs(latency.p50Ms)}, p99 ${formatMs(latency.p99Ms)}`
  return `${requests} requests, ${errors} errors, ${inFlight} in flight${held}${speed}`
}

function renderScale({ replicas }: ServiceStatus, scale: NonNullable<ServiceStatus['scale']>): string {
  const range = scale.minReplicas === null ? '' : ` of ${scale.minReplicas} to ${scale.maxReplicas}`
  const asked = scale.metrics.map(({ metric, replicas: wanted }) =>
    wanted === null ? `${metric} is not known` : `${metric} asks for ${wanted}`,
  )
  const why = [...(scale.reason === '' ? [] : [scale.reason]), ...asked].join(', ')
  return `${replicas.desired}${range}${why === '' ? '' : `: ${why}`}`
}

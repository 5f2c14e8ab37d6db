import type { Container, Probe } from 'kubernetes-types/core/v1.js'
import type { Event } from 'kubernetes-types/events/v1.js'

/** What the kubelet says of a probe that failed. */
export interface ProbeFailure {
  readonly probe: 'Startup' | 'Readiness' | 'Liveness'
  readonly kind: 'Refused' | 'Timeout' | 'Status' | 'Other'
  /** Where a connection was tried. */
  readonly port?: number
  readonly status?: number
  readonly text: string
}

export function readProbeFailure({ reason, note = '' }: Event): ProbeFailure | undefined {
  const said = /^(Startup|Readiness|Liveness) probe (?:failed|errored[^:]*): ([^]*)$/.exec(note)
  if (reason !== 'Unhealthy' || said === null) return undefined
  const [, probe, text = ''] = said
  const found = { probe: probe as ProbeFailure['probe'], text: text.trim() }
  const refused = /:(\d+): connect: connection refused/.exec(text)
  if (refused !== null) return { ...found, kind: 'Refused', port: Number(refused[1]) }
  const port = /https?:\/\/[^/\s"]*:(\d+)/.exec(text)?.[1]
  const where = port === undefined ? {} : { port: Number(port) }
  const status = /statuscode: (\d+)/.exec(text)?.[1]
  if (status !== undefined) return { ...found, ...where, kind: 'Status', status: Number(status) }
  const late = /timeout|deadline exceeded|timed out/i.test(text)
  return { ...found, ...where, kind: late ? 'Timeout' : 'Other' }
}

/** Longest time from the start of a container to the end of its startup probe, in milliseconds. */
export function startupBudgetMs({ startupProbe }: Container): number | undefined {
  if (startupProbe === undefined) return undefined
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = startupProbe
  return (initialDelaySeconds + periodSeconds * failureThreshold) * 1000
}

/** The number of the port that a probe asks, a named one looked up. */
export function probePort(probe: Probe | undefined, { ports = [] }: Container): number | undefined {
  const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port
  if (typeof port === 'number') return port
  return ports.find(({ name }) => name !== undefined && name === port)?.containerPort
}

/** How a failed probe is told in a clause: `connection refused`, `no answer in time`. */
export function tellProbe({ kind, status, text }: ProbeFailure): string {
  if (kind === 'Refused') return 'connection refused'
  if (kind === 'Timeout') return 'no answer in time'
  if (kind === 'Status') return `status ${status}`
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

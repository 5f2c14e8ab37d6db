import { formatBytes, formatMs } from '../../base/display.ts'
import type { LoadStatus, ReplicaLoad, ServiceLoad } from '../../control/api.ts'
import { renderTable } from '../term/layout.ts'

/** What happened between two looks; null where the first look did not see it. */
export interface LoadRow {
  readonly name: string
  readonly phase: string
  readonly replicas: string
  readonly requestsPerSecond: number | null
  readonly inFlight: number | null
  readonly waiting: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** 100: one core. */
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
}

/** A row for each service, one for each of its replicas after it. */
export function compareLoads(before: LoadStatus, after: LoadStatus): LoadRow[] {
  const tookMs = after.atMs - before.atMs
  return after.services.flatMap((service) => {
    const known = before.services.find(({ name }) => name === service.name)
    const replicas = service.instances.map((replica) =>
      compareReplica(
        known?.instances.find(({ name }) => name === replica.name),
        replica,
        tookMs,
      ),
    )
    return [compareService(known, service, { replicas, tookMs }), ...replicas]
  })
}

function compareService(
  before: ServiceLoad | undefined,
  { name, phase, replicas: { ready, desired }, traffic }: ServiceLoad,
  { replicas, tookMs }: { readonly replicas: readonly LoadRow[]; readonly tookMs: number },
): LoadRow {
  return {
    name,
    phase,
    replicas: `${ready}/${desired}`,
    // Where nothing of ours counts for all of them, each counts for itself.
    requestsPerSecond:
      traffic === null
        ? addUp(replicas.map(({ requestsPerSecond }) => requestsPerSecond))
        : ratePerSecond(before?.traffic?.requests, traffic.requests, tookMs),
    inFlight: traffic === null ? addUp(replicas.map(({ inFlight }) => inFlight)) : traffic.inFlight,
    waiting: traffic?.waiting ?? null,
    p50Ms: traffic?.latency?.p50Ms ?? null,
    p99Ms: traffic?.latency?.p99Ms ?? null,
    cpuPercent: addUp(replicas.map(({ cpuPercent }) => cpuPercent)),
    memoryBytes: addUp(replicas.map(({ memoryBytes }) => memoryBytes)),
  }
}

function compareReplica(before: ReplicaLoad | undefined, now: ReplicaLoad, tookMs: number): LoadRow {
  const cpuMs = now.cpuMs === null || before === undefined || before.cpuMs === null ? null : now.cpuMs - before.cpuMs
  return {
    name: `  ${now.name}`,
    phase: now.phase,
    replicas: '',
    requestsPerSecond: ratePerSecond(before?.requests, now.requests, tookMs),
    inFlight: now.inFlight,
    waiting: null,
    p50Ms: null,
    p99Ms: null,
    // A process that was replaced in between has used less than the one before it.
    cpuPercent: cpuMs === null || cpuMs < 0 || tookMs <= 0 ? null : (cpuMs * 100) / tookMs,
    memoryBytes: now.memoryBytes,
  }
}

function ratePerSecond(before: number | null = null, after: number | null, tookMs: number): number | null {
  if (before === null || after === null || after < before || tookMs <= 0) return null
  return ((after - before) * 1000) / tookMs
}

function addUp(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

export function renderLoads(rows: readonly LoadRow[]): string {
  const show = (value: number | null, render: (value: number) => string): string =>
    value === null ? '-' : render(value)
  const whole = (value: number): string => String(Math.round(value))
  return renderTable(
    ['SERVICE', 'PHASE', 'REPLICAS', 'REQ/S', 'IN FLIGHT', 'HELD', 'P50', 'P99', 'CPU %', 'MEMORY'],
    rows.map((row) => [
      row.name,
      row.phase,
      row.replicas,
      show(row.requestsPerSecond, (rate) => (rate < 9.95 ? rate.toFixed(1) : whole(rate))),
      show(row.inFlight, String),
      show(row.waiting, String),
      show(row.p50Ms, formatMs),
      show(row.p99Ms, formatMs),
      show(row.cpuPercent, whole),
      show(row.memoryBytes, formatBytes),
    ]),
  )
}

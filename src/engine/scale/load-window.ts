import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'

/** Counters of the gateway at one moment, by its own clock. */
export type LoadSnapshot = Pick<GatewayRouteStatus, 'measuredAtMs' | 'inFlightMs' | 'requests'>

export interface Load {
  /** Requests in flight, on average over the time between the two. */
  readonly concurrency: number
  readonly requestsPerSecond: number
}

/** Undefined when the two are not of one gateway process, or of one moment: no data, which is not zero. */
export function measureLoad(before: LoadSnapshot, after: LoadSnapshot): Load | undefined {
  const tookMs = after.measuredAtMs - before.measuredAtMs
  if (tookMs <= 0 || after.requests < before.requests || after.inFlightMs < before.inFlightMs) return undefined
  return {
    concurrency: (after.inFlightMs - before.inFlightMs) / tookMs,
    requestsPerSecond: ((after.requests - before.requests) * 1000) / tookMs,
  }
}

/** Those needed to look `spanMs` back from `latest`, which becomes the last; a new gateway process begins anew. */
export function appendSnapshot(
  snapshots: readonly LoadSnapshot[],
  latest: LoadSnapshot,
  spanMs: number,
): readonly LoadSnapshot[] {
  const last = snapshots.at(-1)
  if (last === undefined || measureLoad(last, latest) === undefined) return [latest]
  const first = snapshots.findLastIndex(({ measuredAtMs }) => latest.measuredAtMs - measuredAtMs >= spanMs)
  return [...snapshots.slice(Math.max(0, first)), latest]
}

/** Over the last `spanMs`, or as much of it as was seen. */
export function measureSpan(snapshots: readonly LoadSnapshot[], spanMs: number): Load | undefined {
  const latest = snapshots.at(-1)
  if (latest === undefined) return undefined
  const from =
    snapshots.findLast(({ measuredAtMs }) => latest.measuredAtMs - measuredAtMs >= spanMs) ?? snapshots[0] ?? latest
  return measureLoad(from, latest)
}

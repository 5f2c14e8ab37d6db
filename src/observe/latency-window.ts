/** Latencies of the last minute or so in little memory: percentiles are right within 4 %. */
export interface LatencyWindow {
  record(latencyMs: number, nowMs: number): void
  /** Null: nothing was recorded in that time. */
  summarize(nowMs: number): LatencySummary | null
}

export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const slots = 6
const slotMs = 10_000
/** Each bucket ends 8 % above the one before; its middle is at most 4 % off. */
const growth = Math.log(1.08)
const leastMs = 0.05
/** Up to 20 minutes. */
const buckets = 220

/** Forgets in steps of ten seconds. Times are monotonic. */
export function createLatencyWindow(): LatencyWindow {
  const counts = Array.from({ length: slots }, () => new Uint32Array(buckets))
  const turns = new Float64Array(slots).fill(-1)
  return {
    record: (latencyMs, nowMs) => {
      const turn = Math.floor(nowMs / slotMs)
      const slot = turn % slots
      if (turns[slot] !== turn) {
        turns[slot] = turn
        counts[slot]?.fill(0)
      }
      const bucket = Math.max(0, Math.min(buckets - 1, Math.floor(Math.log(latencyMs / leastMs) / growth)))
      const list = counts[slot]
      if (list !== undefined) list[bucket] = (list[bucket] ?? 0) + 1
    },
    summarize: (nowMs) => {
      const oldest = Math.floor(nowMs / slotMs) - slots + 1
      const sums = new Float64Array(buckets)
      let count = 0
      for (const [slot, list] of counts.entries()) {
        if ((turns[slot] ?? -1) < Math.max(0, oldest)) continue
        for (const [bucket, value] of list.entries()) {
          sums[bucket] = (sums[bucket] ?? 0) + value
          count += value
        }
      }
      return count === 0
        ? null
        : { count, p50Ms: findQuantile(sums, count, 0.5), p99Ms: findQuantile(sums, count, 0.99) }
    },
  }
}

function findQuantile(sums: Float64Array, count: number, quantile: number): number {
  let left = Math.ceil(count * quantile)
  const bucket = sums.findIndex((value) => (left -= value) <= 0)
  return leastMs * Math.exp((bucket + 0.5) * growth)
}

import { type Histogram, build } from 'hdr-histogram-js'

const highestMicros = 120_000_000
/** Each bar of the picture ends a quarter above the one before. */
const barGrowth = Math.log(1.25)

/** Durations for percentiles exact to three digits, up to two minutes, and counted in coarse bars for a picture. */
export class LatencyRecord {
  /** In microseconds. */
  readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestMicros,
    numberOfSignificantValueDigits: 3,
  })
  readonly #bars = new Map<number, number>()

  add(durationMs: number): void {
    const micros = Math.max(1, Math.min(highestMicros, Math.round(durationMs * 1000)))
    this.histogram.recordValue(micros)
    const bar = Math.ceil(Math.log(micros) / barGrowth)
    this.#bars.set(bar, (this.#bars.get(bar) ?? 0) + 1)
  }

  /** From the fastest to the slowest, with the empty ones between them. */
  bars(): { readonly toMs: number; readonly count: number }[] {
    const known = [...this.#bars.keys()]
    if (known.length === 0) return []
    const first = Math.min(...known)
    return Array.from({ length: Math.max(...known) - first + 1 }, (_, index) => ({
      toMs: Number((Math.exp((first + index) * barGrowth) / 1000).toPrecision(3)),
      count: this.#bars.get(first + index) ?? 0,
    }))
  }
}

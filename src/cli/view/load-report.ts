import type { Histogram } from 'hdr-histogram-js'
import { formatMs } from '../../base/display.ts'
import type { OpenLoad, OpenReport } from '../../bench/open-loop.ts'
import { renderRow, renderTable } from '../term/layout.ts'

type Settings = Pick<OpenLoad, 'ratePerSecond' | 'arrivals' | 'durationMs' | 'timeoutMs' | 'maxConnections'>

/** What `towline bench --json` prints. Null: nothing was measured. */
export interface LoadDescription {
  readonly url: string
  readonly settings: Settings
  /** How long requests were due: less than was asked for when it was stopped. */
  readonly durationMs: number
  readonly due: number
  readonly answered: number
  readonly statuses: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  /** Requests that found all connections busy. */
  readonly queued: number
  readonly latencyMs: Quantiles | null
  readonly latenessMs: Quantiles | null
  /** Latencies from the end of the one before up to `toMs`. */
  readonly histogram: readonly { readonly toMs: number; readonly count: number }[]
}

interface Quantiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const widestBar = 40

export function describeLoad(url: string, settings: Settings, report: OpenReport): LoadDescription {
  const { ratePerSecond, arrivals, durationMs, timeoutMs, maxConnections } = settings
  return {
    url,
    settings: { ratePerSecond, arrivals, durationMs, timeoutMs, maxConnections },
    durationMs: report.durationMs,
    due: report.due,
    answered: [...report.statuses.values()].reduce((sum, count) => sum + count, 0),
    statuses: Object.fromEntries(report.statuses),
    failures: Object.fromEntries(report.failures),
    queued: report.queued,
    latencyMs: readQuantiles(report.latency.histogram),
    latenessMs: readQuantiles(report.lateness.histogram),
    histogram: report.latency.bars(),
  }
}

/** Without a whole answer, or with one that says that the service failed. */
export function countFailed({ statuses, failures }: LoadDescription): number {
  const refused = Object.entries(statuses).filter(([status]) => Number(status) >= 400)
  return [...refused.map(([, count]) => count), ...Object.values(failures)].reduce((sum, count) => sum + count, 0)
}

export function renderLoad(load: LoadDescription): string {
  const { settings, durationMs, due, answered, queued, latencyMs, latenessMs } = load
  const perSecond = (count: number): string => `${(durationMs === 0 ? 0 : (count * 1000) / durationMs).toFixed(1)}/s`
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([what, count]) => `${what}: ${count}`)
      .join('   ')
  const lines = [
    renderRow('target', load.url),
    renderRow(
      'due',
      `${due} requests in ${formatMs(durationMs)}, ${settings.arrivals} arrivals at ${settings.ratePerSecond}/s`,
    ),
    renderRow('answered', `${answered}   ${perSecond(answered)}   ${list(load.statuses)}`.trimEnd()),
  ]
  if (due > answered) lines.push(renderRow('unanswered', `${due - answered}   ${list(load.failures)}`))
  if (latencyMs !== null) lines.push(renderRow('latency', renderQuantiles(latencyMs)))
  if (latenessMs !== null) lines.push(renderRow('sent late', `${renderQuantiles(latenessMs)}   (part of the latency)`))
  if (queued > 0)
    lines.push(
      renderRow(
        '',
        `${queued} requests found all ${settings.maxConnections} connections busy; --connections gives more`,
      ),
    )
  return [...lines, ...(load.histogram.length === 0 ? [] : ['', renderHistogram(load.histogram)])].join('\n')
}

function readQuantiles(histogram: Histogram): Quantiles | null {
  if (histogram.totalCount === 0) return null
  // A percentile is the end of its slot, which may lie behind the greatest value in it.
  const at = (percentile: number): number =>
    Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1000
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: histogram.maxValue / 1000 }
}

function renderQuantiles({ p50, p90, p99, p999, max }: Quantiles): string {
  const show = Object.entries({ p50, p90, p99, 'p99.9': p999, max })
  return show.map(([name, ms]) => `${name} ${formatMs(ms)}`).join('   ')
}

function renderHistogram(bars: LoadDescription['histogram']): string {
  const most = Math.max(...bars.map(({ count }) => count))
  return renderTable(
    ['  UP TO', 'REQUESTS', ''],
    bars.map(({ toMs, count }) => [
      `  ${formatMs(toMs)}`,
      String(count),
      '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count * widestBar) / most))),
    ]),
  )
}

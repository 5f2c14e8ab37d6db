import { requestJson } from '../../net/http-client.ts'
import { replicaMetrics } from '../../observe/metrics-catalogue.ts'

const timeoutMs = 2000

/** Rows that wait in one replica; undefined when it does not say. */
export async function readQueuedRows(host: string, metricsPort: number): Promise<number | undefined> {
  try {
    const answer = await requestJson({
      url: `http://${host}:${metricsPort}`,
      method: 'GET',
      path: '/metrics',
      timeoutMs,
    })
    return typeof answer.body === 'string' ? parseGauge(answer.body, replicaMetrics.queuedRows.name) : undefined
  } catch {
    return undefined
  }
}

/** Sum of a metric's series in Prometheus' text format. */
export function parseGauge(page: string, name: string): number | undefined {
  const values = page.split('\n').flatMap((line) => {
    const series = line.startsWith(name) ? /^(?:\{[^}]*\})? (\S+)/.exec(line.slice(name.length)) : null
    return series === null ? [] : [Number(series[1])]
  })
  return values.length === 0 || !values.every(Number.isFinite) ? undefined : values.reduce((sum, value) => sum + value)
}

export type QueryResult =
  | { readonly kind: 'Value'; readonly values: readonly number[] }
  | { readonly kind: 'Failed'; readonly reason: string }

/** An instant query. No series is no data and not zero; what is not finite is no data either. */
export async function queryPrometheus(serverAddress: string, query: string): Promise<QueryResult> {
  const path = `/api/v1/query?query=${encodeURIComponent(query)}`
  try {
    const { status, body } = await requestJson({ url: serverAddress, method: 'GET', path, timeoutMs })
    return parseQueryAnswer(status, body)
  } catch (error) {
    return { kind: 'Failed', reason: `${serverAddress} does not answer (${(error as Error).message})` }
  }
}

export function parseQueryAnswer(status: number, body: unknown): QueryResult {
  const { data, error } = (typeof body === 'object' && body !== null ? body : {}) as { data?: unknown; error?: unknown }
  if (status !== 200) return { kind: 'Failed', reason: typeof error === 'string' ? error : `it answered ${status}` }
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown }
  const samples =
    resultType === 'scalar'
      ? [result]
      : resultType === 'vector' && Array.isArray(result)
        ? result.map((series: { value?: unknown } | null) => series?.value)
        : undefined
  if (samples === undefined)
    return { kind: 'Failed', reason: `a result of type ${String(resultType)}; ask for a vector` }
  const values = samples.map((sample) => Number(Array.isArray(sample) ? sample[1] : NaN))
  if (!values.every(Number.isFinite)) return { kind: 'Failed', reason: 'the result is not a number' }
  return { kind: 'Value', values }
}

import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { replicaMetrics } from '../../observe/metrics-catalogue.ts'

/** What a replica counts of itself. Null: it does not say. */
export interface PodMetrics {
  readonly requests: number | null
  readonly inFlight: number | null
  readonly cpuMs: number | null
  readonly memoryBytes: number | null
}

const metricsPort = 9090
const timeoutMs = 2000

/** Read through the API server, which reaches pods also from outside. Undefined: it does not answer, or may not be asked. */
export async function readPodMetrics(
  client: KubeClient,
  namespace: string,
  pod: string,
): Promise<PodMetrics | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}:${metricsPort}/proxy/metrics`
  try {
    const { status, body } = await client.request({ method: 'GET', path, timeoutMs })
    return status === 200 ? parsePodMetrics(Buffer.from(body).toString()) : undefined
  } catch (error) {
    // A look that comes too late is no failure of the command: the next one may come in time.
    if (error instanceof TowlineError) return undefined
    throw error
  }
}

/** From Prometheus' text format. */
export function parsePodMetrics(text: string): PodMetrics {
  const sums = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line) ?? []
    const number = Number(value)
    if (name !== '' && Number.isFinite(number)) sums.set(name, (sums.get(name) ?? 0) + number)
  }
  const sum = (name: string): number | null => sums.get(name) ?? null
  const cpuSeconds = sum('process_cpu_seconds_total')
  return {
    // A counter that nothing was counted on has no line yet, as long as the others are there.
    requests: sum(replicaMetrics.requests.name) ?? (sum(replicaMetrics.inFlight.name) === null ? null : 0),
    inFlight: sum(replicaMetrics.inFlight.name),
    cpuMs: cpuSeconds === null ? null : cpuSeconds * 1000,
    memoryBytes: sum('process_resident_memory_bytes'),
  }
}

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { replicaMetrics } from './metrics-catalogue.ts'

export interface ReplicaMetrics {
  requestAnswered(code: number, durationMs: number): void
  inferenceDone(queueMs: number, inferenceMs: number, rows: number): void
  /** Text in Prometheus' exposition format; the gauges are read at this moment. */
  render(): Promise<string>
  readonly contentType: string
}

export function createReplicaMetrics(model: string, now: { inFlight(): number; queuedRows(): number }): ReplicaMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { requests, requestSeconds, queueSeconds, inferenceSeconds, rows, inFlight, queuedRows } = replicaMetrics
  const registers = [registry]
  const requestCounter = new Counter({ ...requests, labelNames: requests.labels, registers })
  const rowCounter = new Counter({ ...rows, labelNames: rows.labels, registers })
  const openHistogram = (row: typeof requestSeconds | typeof queueSeconds | typeof inferenceSeconds) =>
    new Histogram({ ...row, labelNames: row.labels, buckets: [...row.buckets], registers })
  const requestHistogram = openHistogram(requestSeconds)
  const queueHistogram = openHistogram(queueSeconds)
  const inferenceHistogram = openHistogram(inferenceSeconds)
  const openGauge = (row: typeof inFlight | typeof queuedRows, read: () => number) =>
    new Gauge({
      name: row.name,
      help: row.help,
      labelNames: row.labels,
      registers,
      collect() {
        this.set({ model }, read())
      },
    })
  openGauge(inFlight, now.inFlight)
  openGauge(queuedRows, now.queuedRows)
  const labels = { model }
  return {
    requestAnswered(code, durationMs) {
      requestCounter.inc({ model, code: String(code) })
      requestHistogram.observe(labels, durationMs / 1000)
    },
    inferenceDone(queueMs, inferenceMs, count) {
      queueHistogram.observe(labels, queueMs / 1000)
      inferenceHistogram.observe(labels, inferenceMs / 1000)
      rowCounter.inc(labels, count)
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PodObservation, PodSamples } from '../../src/decide/autoscale/pod.ts'
import type { MetricObservation } from '../../src/decide/autoscale/metric.ts'

/** The cases of `test/peers/hpa`: the same fields, times in milliseconds from the moment of the decision. */
export type PodCase = PodObservation & { readonly requestMilli: number | null }

export interface SampleCase {
  readonly name: string
  readonly milli: number
  readonly atMs: number
  readonly windowMs: number
}

export interface MetricCase {
  readonly kind: 'Utilization' | 'Usage' | 'Pods' | 'Object' | 'External'
  readonly per?: 'Service' | 'Replica'
  readonly resource?: 'cpu' | 'memory'
  readonly targetPercent?: number
  readonly targetMilli?: number
  readonly samples?: readonly SampleCase[]
  readonly series?: readonly number[]
}

/** Runs one test of the peer over all cases; its answers in their order. */
export function askPeer(peer: string, test: string, cases: readonly unknown[]): unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'towline-hpa-'))
  try {
    const env = { ...process.env, CASES: join(folder, 'cases'), RESULTS: join(folder, 'results') }
    writeFileSync(env.CASES, cases.map((item) => `${JSON.stringify(item)}\n`).join(''))
    const { status, stdout, stderr } = spawnSync(peer, ['-test.run', `^${test}$`, '-test.timeout', '10m'], {
      env,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    })
    if (status !== 0) throw new Error(`the peer ended with ${status}:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`)
    const lines = readFileSync(env.RESULTS, 'utf8').trimEnd().split('\n')
    return lines.map((line): unknown => JSON.parse(line))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The case moved to `nowMs`. */
export function observePods(pods: readonly PodCase[], nowMs: number): PodObservation[] {
  return pods.map((pod) => ({
    ...pod,
    startedAtMs: pod.startedAtMs === null ? null : pod.startedAtMs + nowMs,
    ready: pod.ready === null ? null : { ...pod.ready, sinceMs: pod.ready.sinceMs + nowMs },
  }))
}

export function observeMetric(
  { kind, per = 'Service', resource = 'cpu', ...metric }: MetricCase,
  { pods, nowMs, name }: { pods: readonly PodCase[]; nowMs: number; name: string },
): MetricObservation {
  const { targetMilli = 0, targetPercent = 0, series = [] } = metric
  const samples: PodSamples = new Map(
    (metric.samples ?? []).map((sample) => [sample.name, { ...sample, atMs: sample.atMs + nowMs }]),
  )
  switch (kind) {
    case 'Utilization': {
      const requested = pods.filter(({ requestMilli }) => requestMilli !== null)
      const requests = new Map(requested.map((pod) => [pod.name, pod.requestMilli ?? 0]))
      return { name, kind, resource, targetPercent, samples, requests }
    }
    case 'Usage':
      return { name, kind, resource, targetMilli, samples }
    case 'Pods':
      return { name, kind, targetMilli, samples }
    case 'Object':
    case 'External':
      return { name, kind, per, targetMilli, series }
  }
}

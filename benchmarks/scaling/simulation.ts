import { resolveBehavior } from '../../src/decide/autoscale/behavior.ts'
import { type PanicState, defaultBurst, stepBurst } from '../../src/decide/autoscale/burst.ts'
import { type AutoscaleState, recordRescale, stepAutoscaler } from '../../src/decide/autoscale/step.ts'
import type { LoadTrace } from './load.ts'

export interface SimulatedService {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** What one replica does at a time is one request. */
  readonly serviceS: number
  /** From the decision to the first answer. */
  readonly startS: number
  /** Requests in flight for each replica. */
  readonly targetConcurrency: number
  readonly burst: boolean
}

export interface SimulatedSecond {
  readonly wanted: number
  readonly ready: number
  /** Requests that wait for a replica. */
  readonly backlog: number
}

const syncS = 15
const burstLookS = 2

/**
 * The decisions of `decide/autoscale` over a service that is a fluid: a second at a time, so many requests come, so many are
 * done, the rest waits. What it leaves out: variance between requests, and replicas that fail.
 */
export function simulateScaling({ requestsPerSecond }: LoadTrace, service: SimulatedService): SimulatedSecond[] {
  const { minReplicas, maxReplicas, serviceS, startS, targetConcurrency, burst } = service
  const policy = { minReplicas, maxReplicas, behavior: resolveBehavior({}) }
  const burstPolicy = { ...defaultBurst, target: targetConcurrency }
  const seconds: SimulatedSecond[] = []
  const inFlight: number[] = []
  /** The second from which each replica serves. */
  let replicas = Array.from({ length: minReplicas }, () => 0)
  let backlog = 0
  let state: AutoscaleState | undefined
  let panic: PanicState | null = null
  for (const [second, arriving] of requestsPerSecond.entries()) {
    const nowMs = second * 1000
    const ready = replicas.filter((fromS) => fromS <= second).length
    const done = Math.min(backlog + arriving, ready / serviceS)
    backlog += arriving - done
    inFlight.push(done * serviceS + backlog)
    const from = replicas.length
    let to = from
    if (second % syncS === syncS - 1) {
      const metric = {
        name: 'concurrency',
        kind: 'External',
        per: 'Replica',
        targetMilli: targetConcurrency * 1000,
        series: [Math.round(meanOfLast(inFlight, syncS) * 1000)],
      } as const
      const observation = { currentReplicas: from, statusReplicas: from, pods: [], metrics: [metric] }
      const step = stepAutoscaler(policy, observation, state, nowMs)
      state = step.state
      to = step.desiredReplicas
    }
    if (burst && second % burstLookS === 0) {
      const { stableWindowMs, panicWindowMs } = burstPolicy
      const measured = {
        stable: meanOfLast(inFlight, stableWindowMs / 1000),
        panic: meanOfLast(inFlight, panicWindowMs / 1000),
      }
      const step = stepBurst(burstPolicy, { ...measured, readyReplicas: ready }, panic, nowMs)
      panic = step.panic
      if (panic !== null) to = Math.max(to, Math.min(maxReplicas, step.replicas ?? 0))
    }
    if (to !== from && state !== undefined) state = recordRescale(state, policy, { from, to, nowMs })
    replicas = replicas.slice(0, to)
    while (replicas.length < to) replicas.push(second + startS)
    seconds.push({ wanted: to, ready, backlog })
  }
  return seconds
}

function meanOfLast(values: readonly number[], count: number): number {
  const last = values.slice(-count)
  return last.reduce((sum, value) => sum + value, 0) / last.length
}

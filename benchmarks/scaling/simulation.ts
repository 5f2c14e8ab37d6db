import { resolveBehavior } from '../../src/decide/autoscale/behavior.ts'
import { type BurstObservation, defaultBurst } from '../../src/decide/autoscale/burst.ts'
import type { MetricObservation } from '../../src/decide/autoscale/metric.ts'
import { type SizeDecision, type SizeInput, decideSize } from '../../src/decide/autoscale/size.ts'
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
/** The first look of all comes as soon: a rate needs two measurements. */
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
  let before: SizeInput['before'] = null
  for (const [second, arriving] of requestsPerSecond.entries()) {
    const ready = replicas.filter((fromS) => fromS <= second).length
    const done = Math.min(backlog + arriving, ready / serviceS)
    backlog += arriving - done
    inFlight.push(done * serviceS + backlog)
    const currentReplicas = replicas.length
    const steps = second % syncS === burstLookS
    const looks = steps || (burst && second % burstLookS === 0)
    const decision: SizeDecision | undefined = looks
      ? decideSize({
          policy,
          observation: {
            currentReplicas,
            statusReplicas: currentReplicas,
            pods: [],
            metrics: [measure(inFlight, service)],
          },
          steps,
          wakes: false,
          burst: burst ? { policy: burstPolicy, load: measureBurst(inFlight, ready) } : undefined,
          before,
          nowMs: second * 1000,
        })
      : undefined
    before = decision ?? before
    const to = decision?.replicas ?? currentReplicas
    replicas = replicas.slice(0, to)
    while (replicas.length < to) replicas.push(second + startS)
    seconds.push({ wanted: to, ready, backlog })
  }
  return seconds
}

function measure(inFlight: readonly number[], { targetConcurrency }: SimulatedService): MetricObservation {
  return {
    name: 'concurrency',
    kind: 'External',
    per: 'Replica',
    targetMilli: targetConcurrency * 1000,
    series: [Math.round(meanOfLast(inFlight, syncS) * 1000)],
  }
}

function measureBurst(inFlight: readonly number[], readyReplicas: number): BurstObservation {
  const { stableWindowMs, panicWindowMs } = defaultBurst
  const stable = meanOfLast(inFlight, stableWindowMs / 1000)
  return { stable, panic: meanOfLast(inFlight, panicWindowMs / 1000), readyReplicas }
}

function meanOfLast(values: readonly number[], count: number): number {
  const last = values.slice(-count)
  return last.reduce((sum, value) => sum + value, 0) / last.length
}

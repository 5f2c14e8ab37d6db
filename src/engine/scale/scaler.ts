import type { Clock } from '../../base/clock.ts'
import { resolveBehavior } from '../../decide/autoscale/behavior.ts'
import { type BurstPolicy, defaultBurst } from '../../decide/autoscale/burst.ts'
import type { MetricObservation } from '../../decide/autoscale/metric.ts'
import type { PodObservation, PodSample } from '../../decide/autoscale/pod.ts'
import { type SizeInput, decideSize } from '../../decide/autoscale/size.ts'
import type { AutoscalePolicy } from '../../decide/autoscale/step.ts'
import type { Autoscaling, Service } from '../../spec/service.ts'
import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'
import type { AutoscalerRecord, ScaleRecord } from '../state/records.ts'
import type { Replica } from '../replica/replica.ts'
import { type LoadSnapshot, appendSnapshot, measureSpan } from './load-window.ts'
import { queryPrometheus, readQueuedRows } from './metric-sources.ts'
import { type ProcessUsage, readUsage } from './process-usage.ts'

/** What the autoscaler looks at and writes to: one service, as it is at the moment of each reading. */
export interface ScaledService {
  readonly service: Service
  readonly host: string
  readonly replicas: readonly Replica[]
  /** Wanted now. */
  readonly desired: number
  readonly scale: ScaleRecord | null
  readonly stopping: boolean
  /** Written durably before it returns; throws when it cannot be. */
  save(scale: ScaleRecord): void
}

export interface ScalerOptions {
  readonly clock: Clock
  /** Between two looks; 15 s is what a cluster's controller does. */
  readonly syncMs: number
  /** Fresh counts of the service's route; undefined when the gateway has none. */
  readonly readTraffic: () => Promise<GatewayRouteStatus | undefined>
}

export const defaultSyncMs = 15_000
/** In burst mode. */
const burstSyncMs = 2000
/** At zero replicas somebody waits for the first one. */
const idleSyncMs = 250
const stableMs = defaultBurst.stableWindowMs

interface Seen {
  readonly atMs: number
  readonly usage: ProcessUsage
}

/** The autoscaler of one service: measures, lets `decide/autoscale` decide, writes the size. */
export class Scaler {
  readonly #options: ScalerOptions
  /** By replica and process, of the look before: CPU is a difference. */
  #seen = new Map<string, Seen>()
  #snapshots: readonly LoadSnapshot[] = []
  #nextMs = 0
  #nextStepMs = 0
  #busy = false

  constructor(options: ScalerOptions) {
    this.#options = options
  }

  /** Starts a look when one is due; resolves when it is done. */
  async look(target: ScaledService): Promise<void> {
    const { autoscaling } = target.service
    const nowMs = this.#options.clock.monotonicMs()
    if (autoscaling === undefined || this.#busy || nowMs < this.#nextMs) return
    this.#busy = true
    try {
      await this.#sync(target, autoscaling)
    } finally {
      this.#busy = false
    }
  }

  async #sync(target: ScaledService, autoscaling: Autoscaling): Promise<void> {
    const { clock, syncMs, readTraffic } = this.#options
    const startMs = clock.monotonicMs()
    const idle = target.desired === 0
    const bursts = autoscaling.burst !== undefined
    const pauseMs = idle ? idleSyncMs : bursts ? burstSyncMs : syncMs
    this.#nextMs = startMs + Math.min(pauseMs, syncMs)
    const traffic = await readTraffic().catch(() => undefined)
    if (traffic !== undefined) this.#snapshots = appendSnapshot(this.#snapshots, traffic, stableMs)
    const wakes = idle && traffic !== undefined && traffic.inFlight > 0
    if (traffic !== undefined && this.#snapshots.length < 2 && !wakes) {
      // A rate needs two looks: the first one only remembers, and the second comes soon.
      this.#readUsage(target.replicas, clock.nowMs())
      this.#nextMs = startMs + Math.min(burstSyncMs, syncMs)
      return
    }
    const steps = wakes || startMs >= this.#nextStepMs
    if (!steps && !bursts) return
    if (steps) this.#nextStepMs = startMs + syncMs

    const metrics = steps ? await this.#measure(target, autoscaling, traffic) : []
    decide({ target, autoscaling, metrics, steps, wakes, snapshots: this.#snapshots, nowMs: clock.nowMs() })
  }

  async #measure(
    { service, host, replicas }: ScaledService,
    { targets, prometheus }: Autoscaling,
    traffic: GatewayRouteStatus | undefined,
  ): Promise<MetricObservation[]> {
    const { clock, syncMs } = this.#options
    const metrics: MetricObservation[] = []
    const nowMs = clock.nowMs()
    const usage = this.#readUsage(replicas, nowMs)
    const { cpuMillis, memoryBytes } = service.resources
    const sample = (milli: number): PodSample => ({ milli: Math.round(milli), atMs: nowMs, windowMs: syncMs })
    if (targets.cpuPercent !== undefined)
      metrics.push({
        name: 'cpuPercent',
        kind: 'Utilization',
        resource: 'cpu',
        targetPercent: targets.cpuPercent,
        samples: new Map(usage.flatMap(({ name, cpuMilli }) => (cpuMilli === null ? [] : [[name, sample(cpuMilli)]]))),
        requests: new Map(replicas.map(({ name }) => [name, cpuMillis])),
      })
    if (targets.memoryPercent !== undefined)
      metrics.push({
        name: 'memoryPercent',
        kind: 'Utilization',
        resource: 'memory',
        targetPercent: targets.memoryPercent,
        samples: new Map(usage.map(({ name, memory }) => [name, sample(memory * 1000)])),
        requests: new Map(replicas.map(({ name }) => [name, (memoryBytes ?? 0) * 1000])),
      })
    const perReplica = (name: string, value: number | undefined, target: number): MetricObservation => ({
      name,
      kind: 'External',
      per: 'Replica',
      targetMilli: target * 1000,
      series: value === undefined ? [] : [Math.round(value * 1000)],
    })
    const load = measureSpan(this.#snapshots, syncMs)
    // At zero replicas whoever waits is all there is to know; an average over the time without anybody says less.
    const concurrency = replicas.length === 0 && traffic !== undefined ? traffic.inFlight : load?.concurrency
    if (targets.concurrency !== undefined) metrics.push(perReplica('concurrency', concurrency, targets.concurrency))
    if (targets.requestsPerSecond !== undefined)
      metrics.push(perReplica('requestsPerSecond', load?.requestsPerSecond, targets.requestsPerSecond))
    if (targets.queuedRows !== undefined)
      metrics.push(perReplica('queuedRows', await countQueuedRows(host, replicas, traffic), targets.queuedRows))
    const queries = prometheus.map(async ({ name, query, serverAddress = '', perReplica: target }) => {
      const result = await queryPrometheus(serverAddress, query)
      if (result.kind === 'Failed')
        return { name, kind: 'Unreadable', failure: 'FailedGetExternalMetric', reason: result.reason } as const
      const series = result.values.map((value) => Math.round(value * 1000))
      return { name, kind: 'External', per: 'Replica', targetMilli: target * 1000, series } as const
    })
    return [...metrics, ...(await Promise.all(queries))]
  }

  /** CPU since the look before, in thousandths of a core; null for a process that is seen for the first time. */
  #readUsage(replicas: readonly Replica[], nowMs: number) {
    const seen = new Map<string, Seen>()
    const list = replicas.flatMap(({ name, record: { identity } }) => {
      const usage = identity === null ? undefined : readUsage(identity.pid)
      if (usage === undefined || identity === null) return []
      const key = `${name} ${identity.pid} ${identity.startTicks}`
      seen.set(key, { atMs: nowMs, usage })
      const before = this.#seen.get(key)
      const tookMs = nowMs - (before?.atMs ?? nowMs)
      const cpuMilli = before === undefined || tookMs <= 0 ? null : ((usage.cpuMs - before.usage.cpuMs) * 1000) / tookMs
      return [{ name, cpuMilli, memory: usage.memoryBytes }]
    })
    this.#seen = seen
    return list
  }
}

interface Deciding {
  readonly target: ScaledService
  readonly autoscaling: Autoscaling
  readonly metrics: readonly MetricObservation[]
  /** A look of the autoscaler proper; the others are of burst mode alone. */
  readonly steps: boolean
  /** Somebody waits, and there is no replica. */
  readonly wakes: boolean
  readonly snapshots: readonly LoadSnapshot[]
  readonly nowMs: number
}

function decide(deciding: Deciding): void {
  const { target, autoscaling, metrics, steps, wakes, nowMs } = deciding
  if (target.stopping || target.service.autoscaling !== autoscaling) return
  const { desired: from, scale } = target
  const { minReplicas, maxReplicas, behavior } = autoscaling
  const policy: AutoscalePolicy = {
    minReplicas,
    maxReplicas,
    ...(behavior === undefined ? {} : { behavior: resolveBehavior(behavior) }),
  }
  const before = scale?.autoscaler ?? null
  const pods = target.replicas.map((replica) => observePod(replica))
  const statusReplicas = pods.filter(({ deleting }) => !deleting).length
  const observation = { currentReplicas: from, statusReplicas, pods, metrics }
  const burst = observeBurst(deciding, pods)
  const decision = decideSize({ policy, observation, steps, wakes, burst, before, nowMs })
  if (decision === undefined) return
  const { replicas: to, reason, state, panic } = decision
  const proposals = decision.proposals ?? before?.proposals ?? []
  const autoscaler: AutoscalerRecord = { state, panic, proposals, atMs: nowMs }
  const moved = to === from ? {} : { replicas: to, reason, changedAtMs: nowMs }
  const same = scale ?? { replicas: from, reason: 'as many as there were', changedAtMs: null }
  if (!steps && to === from && (before?.panic ?? null) === panic) return
  target.save({ ...same, ...moved, autoscaler })
}

function observeBurst({ autoscaling, snapshots }: Deciding, pods: readonly PodObservation[]): SizeInput['burst'] {
  const { burst, targets } = autoscaling
  if (burst === undefined || targets.concurrency === undefined) return undefined
  const policy: BurstPolicy = {
    ...defaultBurst,
    target: targets.concurrency,
    threshold: burst.threshold,
    panicWindowMs: burst.windowMs,
  }
  const readyReplicas = pods.filter(({ ready, deleting }) => !deleting && ready?.status === 'True').length
  const stable = measureSpan(snapshots, policy.stableWindowMs)?.concurrency ?? null
  const panic = measureSpan(snapshots, policy.panicWindowMs)?.concurrency ?? null
  return { policy, load: { stable, panic, readyReplicas } }
}

function observePod(replica: Replica): PodObservation {
  const { phase, ending } = replica.observe()
  const { name, startedAtMs } = replica.record
  const ready = phase === 'Ready' ? 'True' : 'False'
  return {
    name,
    phase: phase === 'Waiting' ? 'Pending' : 'Running',
    deleting: ending === 'Retire' || phase === 'Draining',
    ready: { status: ready, sinceMs: replica.readinessSinceMs() },
    startedAtMs,
  }
}

/** Undefined while one of the replicas that serve does not say: a sum with a gap is no sum. What is held counts as a row each. */
async function countQueuedRows(
  host: string,
  replicas: readonly Replica[],
  traffic: GatewayRouteStatus | undefined,
): Promise<number | undefined> {
  const ports = replicas.flatMap(({ serving }) => (serving === undefined ? [] : [serving.metricsPort]))
  const rows = await Promise.all(ports.map(async (port) => await readQueuedRows(host, port)))
  if (traffic === undefined || rows.includes(undefined)) return undefined
  return rows.reduce<number>((sum, value) => sum + (value ?? 0), traffic.waiting)
}

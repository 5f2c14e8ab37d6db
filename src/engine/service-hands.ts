import type { Logger } from 'pino'
import { newShortId } from '../base/id.ts'
import { TowlineError } from '../base/errors.ts'
import { type ReplicaAction, decideReplicas, isServing } from '../decide/replicas.ts'
import type { GatewayHands } from './gateway-hands.ts'
import type { GatewayRoute } from './gateway/gateway-config.ts'
import { describeChange } from './state/service-change.ts'
import type { EventLog } from './state/events.ts'
import { type ReplicaRecord, type ServiceRecord, countDesired, findWanted } from './state/records.ts'
import { readUsage } from './scale/process-usage.ts'
import { type ScaledService, Scaler } from './scale/scaler.ts'
import { Replica, type ReplicaSurroundings } from './replica/replica.ts'
import type { FailureStatus, ServiceLoad, ServiceStatus } from './service-status.ts'
import { describeService } from './status.ts'

export interface ServiceSurroundings extends Omit<ReplicaSurroundings, 'host' | 'save' | 'note'> {
  readonly log: Logger
  readonly scaleSyncMs: number
  readonly gateway: GatewayHands
  readonly events: EventLog
  readonly saveService: (record: ServiceRecord) => void
  readonly saveReplica: (record: ReplicaRecord) => void
  readonly deleteReplica: (name: string) => void
}

/** After a refused route: another program holds the port, and may let go. */
const routeRetryMs = 2000
/** How long a request is held while no replica can be reached: a restart or a change of gateway, not a start from nothing. */
const waitForReplicaMs = 2000
/** Until a rollout's analysis says what slow is. */
const slowMs = 1000
/** How long the end of a service waits for a gateway that does not answer. */
const absentGatewayMs = 10_000

const progressKinds: readonly ReplicaAction['kind'][] = ['Start', 'Restart', 'Retire', 'Drain', 'Forget', 'Reject']

/** One service: looks at its replicas, lets `decide` say what to do, does it. */
export class ServiceHands {
  readonly replicas = new Map<string, Replica>()
  #record: ServiceRecord
  readonly #around: ServiceSurroundings
  /** Generation of the gateway process that knows the route. */
  #toldGeneration = -1
  #routeFailure: FailureStatus | null = null
  #routeRetryMs = 0
  #routeEnd: 'No' | 'Draining' | 'Gone' = 'No'
  #stoppingSinceMs: number | undefined
  #complete = false
  readonly #scaler: Scaler

  constructor(record: ServiceRecord, around: ServiceSurroundings) {
    this.#record = record
    this.#around = around
    const { clock, scaleSyncMs: syncMs, gateway } = around
    const readTraffic = async () => (await gateway.readTraffic()).find(({ service }) => service === this.#record.name)
    this.#scaler = new Scaler({ clock, syncMs, readTraffic })
  }

  get record(): ServiceRecord {
    return this.#record
  }

  /** As many replicas as wanted serve, and none has to be woken for a request that waits. */
  get calm(): boolean {
    const desired = countDesired(this.#record)
    if (!this.#complete || this.#record.stopping || desired === 0 || this.replicas.size !== desired) return false
    return this.replicas.values().every((replica) => isServing(replica.observe()))
  }

  /** Taken down, and nothing of it is left. */
  get gone(): boolean {
    return this.#record.stopping && this.#routeEnd === 'Gone' && this.replicas.size === 0
  }

  /** Written durably before it returns; throws when it cannot be. */
  change(change: Partial<ServiceRecord>): void {
    const record = { ...this.#record, ...change }
    this.#around.saveService(record)
    // More than before are wanted: until they serve it is growing, not degraded.
    if (countDesired(record) > countDesired(this.#record)) this.#complete = false
    for (const event of describeChange(this.#record, record)) {
      this.#around.events.note({ service: record.name, replica: null, ...event })
    }
    this.#record = record
    this.#around.wake()
  }

  /** A newly wanted set of replicas has not served yet, and the route may have other limits and keys. */
  expectChange(): void {
    this.#complete = false
    this.#toldGeneration = -1
  }

  addReplica(record: ReplicaRecord): Replica | undefined {
    const revision = this.#record.revisions.find(({ number }) => number === record.revision)
    if (revision === undefined) return undefined
    const { paths, clock, leaseMs, wake, drains, saveReplica: save, events } = this.#around
    const { host } = this.#record
    const { note } = events
    const replica = new Replica(record, revision, { paths, clock, leaseMs, host, save, note, drains, wake })
    this.replicas.set(record.name, replica)
    return replica
  }

  async look(): Promise<void> {
    const nowMs = this.#around.clock.monotonicMs()
    for (const replica of this.replicas.values()) replica.look(nowMs)
    if (this.#record.stopping && this.#routeEnd !== 'Gone') return this.#endRoute()

    void this.#scale()

    const actions = decideReplicas({
      nowMs,
      desired: countDesired(this.#record),
      revision: this.#record.target,
      replicas: [...this.replicas.values()].map((replica) => replica.observe()),
    })
    const told = await this.#route(actions, nowMs)
    for (const action of actions) this.#act(action)
    // What waits for others (a gateway that is not there, a process that is to end) shows at a later look by itself.
    if (told || actions.some(({ kind }) => progressKinds.includes(kind))) this.#around.wake()
    this.#settle()
  }

  status(): ServiceStatus {
    return describeService({
      record: this.#record,
      replicas: [...this.replicas.values()],
      traffic: this.#around.gateway.traffic.find(({ service }) => service === this.#record.name),
      complete: this.#complete,
      routeFailure: this.#routeFailure,
    })
  }

  load(): ServiceLoad {
    const { name, phase, replicas, traffic } = this.status()
    const route = this.#around.gateway.traffic.find(({ service }) => service === name)
    const instances = [...this.replicas.values()].map((replica) => {
      const endpoint = route?.endpoints.find(({ id }) => id === replica.name)
      const { identity } = replica.record
      const usage = identity === null ? undefined : readUsage(identity.pid)
      return {
        name: replica.name,
        phase: replica.observe().phase,
        inFlight: endpoint?.inFlight ?? 0,
        requests: endpoint?.requests ?? 0,
        cpuMs: usage?.cpuMs ?? null,
        memoryBytes: usage?.memoryBytes ?? null,
      }
    })
    return { name, phase, replicas, traffic, instances }
  }

  /** The route with these replicas behind it. */
  createRoute(routed: readonly Replica[], port = this.#record.port): GatewayRoute {
    const { serving, autoscaling, lifecycle, apiKeys } = findWanted(this.#record).service
    const { timeoutMs, maxBodyBytes } = serving
    const { name, host } = this.#record
    const waitMs = autoscaling?.minReplicas === 0 ? lifecycle.startupTimeoutMs : waitForReplicaMs
    const endpoints = routed.flatMap((replica) =>
      replica.serving === undefined
        ? []
        : [{ id: replica.name, revision: replica.record.revision, host, port: replica.serving.port }],
    )
    return { service: name, host, port, timeoutMs, maxBodyBytes, waitMs, slowMs, apiKeys, endpoints }
  }

  /** Told to the gateway by whoever applied the service. */
  noteRoute(): void {
    this.#toldGeneration = this.#around.gateway.generation
    this.#routeFailure = null
  }

  async #scale(): Promise<void> {
    try {
      await this.#scaler.look(createView(this))
    } catch (error) {
      // A full disk: the size stays as it is written, and the next look tries again.
      if (!(error instanceof TowlineError)) throw error
      this.#around.log.error({ err: error, service: this.#record.name }, 'the size could not be changed')
    }
  }

  /** First the door is closed and what came in is answered, only then the replicas end. */
  #endRoute(): void {
    if (this.#routeEnd === 'Draining') return
    const { gateway, clock, wake } = this.#around
    this.#stoppingSinceMs ??= clock.monotonicMs()
    // One that is just starting may serve this route from its file: it must hear of the end too.
    if (!gateway.ready && clock.monotonicMs() - this.#stoppingSinceMs < absentGatewayMs) return
    this.#routeEnd = 'Draining'
    const over = new AbortController()
    const limit = clock.sleep(findWanted(this.#record).service.lifecycle.drainTimeoutMs + 1000, over.signal)
    limit.catch(() => undefined)
    void Promise.race([gateway.remove(this.#record.name), limit])
      // A gateway that fails here answers nobody any more: nothing to wait for.
      .catch(() => undefined)
      .then(() => {
        over.abort()
        for (const replica of this.replicas.values()) replica.inRoute = false
        this.#routeEnd = 'Gone'
        wake()
      })
  }

  /** True when the gateway took a changed route. */
  async #route(actions: readonly ReplicaAction[], nowMs: number): Promise<boolean> {
    const { gateway } = this.#around
    const routed = new Set([...this.replicas.values()].filter(({ inRoute }) => inRoute).map(({ name }) => name))
    let changed = false
    for (const action of actions) {
      if (action.kind !== 'AddEndpoint' && action.kind !== 'RemoveEndpoint') continue
      changed = true
      if (action.kind === 'AddEndpoint') routed.add(action.replica)
      else routed.delete(action.replica)
    }
    if (this.#record.stopping || !gateway.ready || nowMs < this.#routeRetryMs) return false
    const { generation } = gateway
    if (!changed && generation === this.#toldGeneration) return false
    try {
      await gateway.put(this.createRoute([...this.replicas.values()].filter(({ name }) => routed.has(name))))
      for (const replica of this.replicas.values()) replica.inRoute = routed.has(replica.name)
      this.#toldGeneration = generation
      this.#routeFailure = null
      return changed
    } catch (error) {
      // An unreachable gateway is found and replaced by its own supervision; one that is stopping has a successor.
      if (!(error instanceof TowlineError) || error.code === 'TL_NOT_READY') return false
      const { message, hint = null } = error
      const reason = error.code === 'TL_PORT_TAKEN' ? 'PortTaken' : 'RouteRefused'
      this.#routeFailure = { reason, message, hint, atMs: this.#around.clock.nowMs() }
      this.#routeRetryMs = nowMs + routeRetryMs
      return false
    }
  }

  #act(action: ReplicaAction): void {
    if (action.kind === 'Start') return this.#start()
    if (action.kind === 'Reject') return this.#reject(action.revision, action.replica)
    const replica = this.replicas.get(action.replica)
    switch (action.kind) {
      case 'Restart':
        return replica?.start()
      case 'Retire':
        return replica?.retire()
      case 'Drain':
        return replica?.drain()
      case 'Kill':
        return replica?.kill()
      case 'Forget':
        replica?.forget()
        this.replicas.delete(action.replica)
        return this.#around.deleteReplica(action.replica)
      case 'AddEndpoint':
      case 'RemoveEndpoint':
        // Told to the gateway together, before anything else.
        return
    }
  }

  #start(): void {
    const { name, target } = this.#record
    const replica = this.addReplica({
      name: `${name}-${target}-${newShortId()}`,
      service: name,
      revision: target,
      identity: null,
      startedAtMs: null,
      restarts: 0,
      failures: 0,
      hopeless: false,
      proven: false,
      ending: null,
      nextStartAtMs: null,
      lastFailure: null,
    })
    replica?.start()
  }

  #reject(revision: number, name: string): void {
    const serving = [...this.replicas.values()].map((replica) => replica.observe()).filter(isServing)
    const target = Math.max(
      ...serving.filter((replica) => replica.revision !== revision).map(({ revision }) => revision),
    )
    const failure = this.replicas.get(name)?.record.lastFailure
    if (!Number.isFinite(target) || failure === undefined || failure === null) return
    // The older spec keeps the number of replicas that was asked for last.
    const { replicas } = findWanted(this.#record).service
    const revisions = this.#record.revisions.map((record) =>
      record.number === target ? { ...record, service: { ...record.service, replicas } } : record,
    )
    this.change({ target, revisions, rejected: { revision, failure }, lastFailure: failure })
  }

  /** At rest: forgets revisions that nothing runs any more. */
  #settle(): void {
    const all = [...this.replicas.values()].map((replica) => replica.observe())
    const { revisions, target, stopping } = this.#record
    if (stopping || !all.every((replica) => isServing(replica) && replica.revision === target)) return
    if (all.length === countDesired(this.#record)) this.#complete = true
    if (this.#complete && revisions.length > 1)
      this.change({ revisions: revisions.filter(({ number }) => number === target) })
  }
}

function createView(hands: ServiceHands): ScaledService {
  return {
    get service() {
      return findWanted(hands.record).service
    },
    get host() {
      return hands.record.host
    },
    get replicas() {
      return [...hands.replicas.values()]
    },
    get desired() {
      return countDesired(hands.record)
    },
    get scale() {
      return hands.record.scale
    },
    get stopping() {
      return hands.record.stopping
    },
    save: (scale) => hands.change({ scale }),
  }
}

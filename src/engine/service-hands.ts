import type { Logger } from 'pino'
import { newShortId } from '../base/id.ts'
import { TowlineError } from '../base/errors.ts'
import { type ReplicaAction, decideReplicas, isServing, isUsable } from '../decide/replicas.ts'
import type { GatewayHands } from './gateway-hands.ts'
import type { GatewayRoute } from './gateway/gateway-config.ts'
import type { EvidencePace } from './rollout/evidence.ts'
import { type RolledService, RolloutHands } from './rollout/rollout-hands.ts'
import { describeChange } from './state/service-change.ts'
import type { EventLog } from './state/events.ts'
import { type ReplicaRecord, type ServiceRecord, countDesired, findRevision } from './state/records.ts'
import { forgetRevisions } from './state/revision-history.ts'
import { readUsage } from './scale/process-usage.ts'
import { type ScaledService, Scaler } from './scale/scaler.ts'
import { Replica, type ReplicaSurroundings } from './replica/replica.ts'
import type { FailureStatus, ServiceLoad, ServiceStatus } from './service-status.ts'
import { carrying, describeService } from './status.ts'

export interface ServiceSurroundings extends Omit<ReplicaSurroundings, 'host' | 'save' | 'note'> {
  readonly log: Logger
  readonly scaleSyncMs: number
  readonly evidencePace: EvidencePace
  readonly gateway: GatewayHands
  readonly events: EventLog
  readonly saveService: (record: ServiceRecord) => void
  /** Revisions were forgotten: the copies of their models may go. */
  readonly pruneModels: () => void
  readonly saveReplica: (record: ReplicaRecord) => void
  readonly deleteReplica: (name: string) => void
}

/** After a refused route: another program holds the port, and may let go. */
const routeRetryMs = 2000
/** How long a request is held while no replica can be reached: a restart or a change of gateway, not a start from nothing. */
const waitForReplicaMs = 2000
/** Where no analysis says what slow is. */
const defaultSlowMs = 1000
/** How long the end of a service waits for a gateway that does not answer. */
const absentGatewayMs = 10_000

const progressKinds: readonly ReplicaAction['kind'][] = ['Start', 'Restart', 'Retire', 'Drain', 'Forget']

/** One service: looks at its replicas, lets `decide` say what to do, does it. */
export class ServiceHands {
  readonly replicas = new Map<string, Replica>()
  #record: ServiceRecord
  readonly #around: ServiceSurroundings
  /** Generation of the gateway process that knows the route. */
  #toldGeneration = -1
  #toldWeights = 'null'
  #routeFailure: FailureStatus | null = null
  #routeRetryMs = 0
  #routeEnd: 'No' | 'Draining' | 'Gone' = 'No'
  #stoppingSinceMs: number | undefined
  #complete = false
  readonly #scaler: Scaler
  readonly rollouts: RolloutHands

  constructor(record: ServiceRecord, around: ServiceSurroundings) {
    this.#record = record
    this.#around = around
    const { clock, scaleSyncMs: syncMs, gateway, evidencePace } = around
    this.rollouts = new RolloutHands(createRolledView(this, gateway), clock, evidencePace)
    const readTraffic = async () => (await gateway.readTraffic()).find(({ service }) => service === this.#record.name)
    this.#scaler = new Scaler({ clock, syncMs, readTraffic })
  }

  get record(): ServiceRecord {
    return this.#record
  }

  /** As many replicas as wanted serve, and none has to be woken for a request that waits. */
  get calm(): boolean {
    const desired = countDesired(this.#record)
    const { stopping, rollout } = this.#record
    if (!this.#complete || stopping || rollout !== null || desired === 0) return false
    if (this.replicas.size < desired) return false
    return this.replicas.values().every((replica) => isUsable(replica.observe()))
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
    this.#roll()

    const actions = decideReplicas({
      nowMs,
      wanted: this.rollouts.wanted(),
      replicas: [...this.replicas.values()].map((replica) => replica.observe()),
    })
    const before = this.#record
    const told = await this.#route(actions, nowMs)
    // An order came while the gateway was told: what was decided before it is decided again.
    if (this.#record !== before) return this.#around.wake()
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
      route: this.rollouts.observeRoute(),
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

  /** The route with these replicas behind it. While two revisions serve, the more patient one sets the limits. */
  createRoute(routed: readonly Replica[], port = this.#record.port): GatewayRoute {
    const { name, host, applied, stable, rollout } = this.#record
    const serving = [stable, ...(rollout === null ? [] : [rollout.plan.candidate])].map(
      (revision) => findRevision(this.#record, revision).service,
    )
    const { autoscaling, apiKeys } = applied
    const startMs = Math.max(...serving.map(({ lifecycle }) => lifecycle.startupTimeoutMs))
    const weights = this.rollouts.weights()
    const endpoints = routed.flatMap((replica) =>
      replica.serving === undefined
        ? []
        : [{ id: replica.name, revision: replica.record.revision, host, port: replica.serving.port }],
    )
    return {
      service: name,
      host,
      port,
      timeoutMs: Math.max(...serving.map(({ serving: { timeoutMs } }) => timeoutMs)),
      maxBodyBytes: Math.max(...serving.map(({ serving: { maxBodyBytes } }) => maxBodyBytes)),
      waitMs: autoscaling?.minReplicas === 0 ? startMs : waitForReplicaMs,
      slowMs: applied.rollout.analysis.latency?.slowerThanMs ?? defaultSlowMs,
      apiKeys,
      endpoints,
      ...(weights === null ? {} : { weights }),
    }
  }

  /** Told to the gateway by whoever applied the service. */
  noteRoute(): void {
    this.#toldGeneration = this.#around.gateway.generation
    this.#routeFailure = null
  }

  #roll(): void {
    try {
      this.rollouts.look()
    } catch (error) {
      // A full disk: nothing was done about what could not be written, and the next look tries again.
      if (!(error instanceof TowlineError)) throw error
      this.#around.log.error({ err: error, service: this.#record.name }, 'the rollout could not be written down')
    }
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
    const limit = clock.sleep(
      findRevision(this.#record, this.#record.stable).service.lifecycle.drainTimeoutMs + 1000,
      over.signal,
    )
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
    const weights = this.rollouts.weights()
    const weightsText = JSON.stringify(weights)
    changed ||= weightsText !== this.#toldWeights
    if (!changed && generation === this.#toldGeneration) return false
    try {
      const status = await gateway.put(
        this.createRoute([...this.replicas.values()].filter(({ name }) => routed.has(name))),
      )
      this.rollouts.noteRoute(weights, status)
      this.#toldWeights = weightsText
      for (const replica of this.replicas.values()) replica.inRoute = routed.has(replica.name)
      this.#toldGeneration = generation
      this.#routeFailure = null
      return changed
    } catch (error) {
      // It may have taken the route, and only its answer was lost: whatever it may ask counts as asked until it says more.
      this.#toldGeneration = -1
      this.rollouts.forgetRoute()
      for (const replica of this.replicas.values()) if (routed.has(replica.name)) replica.inRoute = true
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
    if (action.kind === 'Start') return this.#start(action.revision)
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

  #start(revision: number): void {
    const { name } = this.#record
    const replica = this.addReplica({
      name: `${name}-${revision}-${newShortId()}`,
      service: name,
      revision,
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

  /** At rest: the revision has proven itself, and those that nobody can go back to are forgotten. */
  #settle(): void {
    const { stable, stopping, rollout } = this.#record
    if (stopping || rollout !== null) return
    const all = [...this.replicas.values()].map((replica) => replica.observe())
    const serving = all.filter((replica) => isServing(replica) && replica.revision === stable).length
    if (serving < countDesired(this.#record) || all.some(({ ending }) => ending !== null)) return
    this.#complete = true
    const proven = findRevision(this.#record, stable).proven || serving === 0
    const revisions = forgetRevisions(this.#record, new Set(all.map(({ revision }) => revision))).map((revision) =>
      revision.number === stable && !proven ? { ...revision, proven: true } : revision,
    )
    if (proven && revisions.length === this.#record.revisions.length) return
    this.#persist({ revisions })
    this.#around.pruneModels()
  }

  /** What is no decision may wait until the disk has space. */
  #persist(change: Partial<ServiceRecord>): void {
    try {
      this.change(change)
    } catch (error) {
      if (!(error instanceof TowlineError)) throw error
    }
  }
}

function createRolledView(hands: ServiceHands, gateway: GatewayHands): RolledService {
  return {
    get record() {
      return hands.record
    },
    get replicas() {
      return [...hands.replicas.values()]
    },
    get traffic() {
      return gateway.traffic.find(({ service }) => service === hands.record.name)
    },
    change: (change) => hands.change(change),
  }
}

function createView(hands: ServiceHands): ScaledService {
  return {
    get service() {
      const { applied, stable } = hands.record
      return { ...applied, resources: findRevision(hands.record, stable).service.resources }
    },
    get host() {
      return hands.record.host
    },
    get replicas() {
      const { record, rollouts } = hands
      return carrying({ record, replicas: [...hands.replicas.values()], route: rollouts.observeRoute() })
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

import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from '../base/clock.ts'
import { TowlineError } from '../base/errors.ts'
import type { Store } from '../store/store.ts'
import { adoptProject } from './adopt-project.ts'
import { type Application, applyService, scaleRecord } from './apply.ts'
import { findProcesses } from './adoption.ts'
import { admit, askGate } from './admission.ts'
import { GatewayHands, gatewayNames } from './gateway-hands.ts'
import { pruneLogs } from './log-files.ts'
import type { ProjectPaths } from './paths.ts'
import { type EngineEvent, createEventLog } from './state/events.ts'
import { createRecords } from './state/records.ts'
import { createSaver } from './state/saver.ts'
import { defaultSyncMs } from './scale/scaler.ts'
import { type ServiceOrder, orderService } from './rollout/orders.ts'
import { type EvidencePace, defaultPace } from './rollout/evidence.ts'
import { type PlanStatus, reportPlan } from './rollout/plan-report.ts'
import { keepModel, pruneModels } from './model-store.ts'
import { printModel } from '../spec/model/model-print.ts'
import { revisionOf } from '../spec/revision.ts'
import { ServiceHands, type ServiceSurroundings } from './service-hands.ts'
import type { EngineStatus, HistoryStatus, LoadStatus, ServiceStatus } from './service-status.ts'
import { sendSignal } from './supervised-process.ts'

export interface EngineOptions {
  readonly paths: ProjectPaths
  readonly store: Store
  readonly clock: Clock
  /** How long gateway and replicas live on without an engine. */
  readonly leaseMs: number
  readonly version: string
  /** Between two looks of an autoscaler; absent: a cluster's own. */
  readonly scaleSyncMs?: number | undefined
  /** Absent: windows of 10 s, 30 s after a change of weight. */
  readonly evidencePace?: EvidencePace | undefined
  readonly log: Logger
  /** False: replicas are killed without draining. Only for the proof that draining matters. */
  readonly drains?: boolean | undefined
}

export interface Engine {
  /** Resolves once the port is open and the change is written down; replicas follow. */
  apply(application: Application): Promise<ServiceStatus>
  /** What `apply` would do. Changes nothing. */
  plan(application: Application): Promise<PlanStatus>
  /** Resolves when all of it is gone. */
  remove(name: string): Promise<void>
  /** As many replicas from now on; an autoscaler goes on from there. */
  scale(name: string, replicas: number): ServiceStatus
  /** Promote, pause, resume, abort, roll back, retry, restart. TL_ROLLOUT_REFUSED where it cannot be done now. */
  order(name: string, order: ServiceOrder): OrderAnswer
  /** Another gateway process takes the place of the present one; resolves when it serves. */
  restartGateway(): Promise<EngineStatus>
  status(): Promise<EngineStatus>
  load(): Promise<LoadStatus>
  /** Revisions that are kept, and rollouts that have ended. */
  history(name: string): HistoryStatus
  /** TL_SERVICE_UNKNOWN when there is none. */
  serviceStatus(name: string): ServiceStatus
  /** The last `count` events of the service, oldest first. TL_SERVICE_UNKNOWN when there is none. */
  events(name: string, count: number): EngineEvent[]
  /** The status now and at each change; ends when the service is gone. */
  watch(name: string, signal: AbortSignal): AsyncGenerator<ServiceStatus>
  /** Resolves when the last service is gone, rejects when the engine cannot go on. */
  readonly done: Promise<void>
  /** Lets go without ending anything: another engine may adopt within the lease. */
  close(): Promise<void>
}

export interface OrderAnswer {
  /** Null: it was carried out; else why there was nothing to do. */
  readonly nothing: string | null
  readonly status: ServiceStatus
  /** What a person has to know beside it. */
  readonly note?: string
}

export type { Application }

const lookMs = 100
/** While nothing moves: what happens by itself, such as the end of a process, wakes the engine anyway. */
const calmLookMs = 300
/** Between two looks at the least, however much happens: what is looked at needs the thread too. */
const restMs = 5
const leaseRenewMs = 1000
/** An engine that nobody gave a service to ends after this time. */
const emptyLimitMs = 15_000
/** Without an engine the gateway drains first: its replicas still owe it answers. */
const replicaLeaseExtraMs = 5000
const gatewayStopMs = 65_000
const gatewayStartMs = 20_000

export function openEngine(options: EngineOptions): Engine {
  const { paths, store, clock, leaseMs, version, log, scaleSyncMs = defaultSyncMs, drains = true } = options
  const { evidencePace = defaultPace } = options
  const records = createRecords(store)
  const saver = createSaver(log)
  const events = createEventLog(store, saver, clock)
  const startedAtMs = clock.nowMs()
  const startedMs = clock.monotonicMs()
  const services = new Map<string, ServiceHands>()
  const stop = new AbortController()
  const { promise: done, resolve: finish, reject: fail } = Promise.withResolvers<void>()
  // Whoever opened the engine may look at it later.
  done.catch(() => undefined)
  const listeners = new Set<() => void>()
  let wakeUp: (() => void) | undefined
  let hadService = false
  let leaving = false
  let applying = 0
  /** One application after the other: two for one new service must not both make it. */
  let lastApplied: Promise<unknown> = Promise.resolve()
  const stateFile = statSync(paths.state, { throwIfNoEntry: false })?.ino

  const wake = (): void => wakeUp?.()
  const gateway = new GatewayHands(records.gateway.get(), {
    paths,
    clock,
    leaseMs,
    wake,
    save: (record) => saver.save('gateway', () => records.gateway.put(record)),
    note: (reason, message) => events.note({ service: null, replica: null, reason, message }),
  })
  const around: ServiceSurroundings = {
    paths,
    clock,
    leaseMs: leaseMs + replicaLeaseExtraMs,
    gateway,
    log,
    scaleSyncMs,
    evidencePace,
    drains,
    events,
    wake,
    saveService: (record) => records.services.put(record),
    pruneModels: () => {
      const kept = [...services.values()].flatMap(({ record }) =>
        record.revisions.map(({ modelDigest }) => modelDigest),
      )
      if (applying === 0) forgetModels(new Set(kept))
    },
    saveReplica: (record) => saver.save(record.name, () => records.replicas.put(record)),
    deleteReplica: (name) => {
      saver.save(name, () => records.replicas.delete(name))
      pruneLogs(paths, ['engine', ...gatewayNames, ...livingReplicas().map((replica) => replica.name)])
    },
  }
  const digestsInUse = (): ReadonlySet<string> =>
    new Set([...services.values()].flatMap(({ record }) => record.revisions.map(({ modelDigest }) => modelDigest)))
  const forgetModels = (kept: ReadonlySet<string>, all = false): void => {
    pruneModels(paths, kept, all).catch((error: unknown) => log.warn({ err: error }, 'copies of models are left'))
  }
  const livingReplicas = () => [...services.values()].flatMap((hands) => [...hands.replicas.values()])

  const renewLeases = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        gateway.renewLease()
        for (const replica of livingReplicas()) replica.renewLease()
      } catch (error) {
        log.error({ err: error }, 'the leases could not be renewed')
      }
      await clock.sleep(leaseRenewMs, stop.signal)
    }
  }

  const look = async (): Promise<void> => {
    // Without its folder nobody can reach this engine, and no lease can be renewed.
    if (statSync(paths.state, { throwIfNoEntry: false })?.ino !== stateFile) {
      for (const { identity } of findProcesses(paths)) sendSignal(identity, 'SIGTERM')
      throw new TowlineError('TL_STATE_UNUSABLE', `${paths.root} was removed while the engine ran`, {
        hint: 'all replicas were told to end; start again with `towline up`',
      })
    }
    saver.retry(clock.monotonicMs())
    gateway.look(clock.monotonicMs())
    await Promise.all([...services.values()].map((hands) => hands.look()))
    for (const [name, hands] of services) {
      if (!hands.gone) continue
      services.delete(name)
      saver.save(`service ${name}`, () => records.services.delete(name))
      events.forget(name)
    }
    for (const listener of listeners) listener()
  }

  const isOver = (): boolean => {
    if (services.size > 0 || applying > 0) return false
    return hadService || clock.monotonicMs() - startedMs > emptyLimitMs
  }

  const stopGateway = async (): Promise<void> => {
    const sinceMs = clock.monotonicMs()
    gateway.stop()
    while (gateway.running) {
      if (clock.monotonicMs() - sinceMs > gatewayStopMs) gateway.kill()
      await clock.sleep(lookMs, stop.signal)
      gateway.look(clock.monotonicMs())
      gateway.renewLease()
    }
  }

  const run = async (): Promise<void> => {
    while (!isOver()) {
      // Set before the look: what happens during it counts for the next one.
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      wakeUp = resolve
      await look()
      await clock.sleep(restMs, stop.signal)
      const calm = [...services.values()].every((hands) => hands.calm)
      await Promise.race([woken, clock.sleep(calm ? calmLookMs : lookMs, stop.signal)])
      stop.signal.throwIfAborted()
    }
    leaving = true
    await stopGateway()
  }

  const find = (name: string): ServiceHands => {
    const hands = services.get(name)
    if (hands === undefined) {
      const known = [...services.keys()].join(', ')
      throw new TowlineError('TL_SERVICE_UNKNOWN', JSON.stringify(name), {
        hint: known === '' ? 'no service runs here' : `there is ${known}`,
      })
    }
    return hands
  }

  const changes = async function* (signal: AbortSignal): AsyncGenerator<void> {
    let changed = Promise.withResolvers<void>()
    const listen = (): void => changed.resolve()
    listeners.add(listen)
    signal.addEventListener('abort', listen)
    try {
      while (!signal.aborted && !stop.signal.aborted) {
        await changed.promise
        changed = Promise.withResolvers<void>()
        yield
      }
    } finally {
      listeners.delete(listen)
      signal.removeEventListener('abort', listen)
    }
  }

  const waitUntil = async (condition: () => boolean, signal: AbortSignal): Promise<void> => {
    if (condition()) return
    for await (const _ of changes(signal)) if (condition()) return
    signal.throwIfAborted()
    throw new TowlineError('TL_ENGINE_LOST', 'the engine is stopping')
  }

  const waitForGateway = async (): Promise<void> => {
    const limit = AbortSignal.timeout(gatewayStartMs)
    try {
      await waitUntil(() => gateway.ready, AbortSignal.any([stop.signal, limit]))
    } catch (cause) {
      if (!limit.aborted) throw cause
      throw new TowlineError('TL_ENGINE_START', `the gateway did not answer within ${gatewayStartMs} ms`, {
        cause,
        hint: `${gateway.files.log} and ${gateway.files.stderr} may say why`,
      })
    }
  }

  for (const hands of adoptProject({ paths, records, gateway, around, log })) services.set(hands.record.name, hands)
  hadService = services.size > 0
  forgetModels(digestsInUse(), true)
  const loops = Promise.allSettled([
    renewLeases(),
    run().then(finish, (error: unknown) => (stop.signal.aborted ? finish() : fail(error))),
  ])

  const status = async (): Promise<EngineStatus> => {
    // Fresh counts where the gateway answers; the last ones where it does not.
    if (gateway.ready) await gateway.readTraffic().catch(() => undefined)
    return {
      pid: process.pid,
      version,
      startedAtMs,
      leaseMs,
      gateway: gateway.status(),
      services: [...services.values()].map((hands) => hands.status()),
    }
  }

  return {
    done,
    apply: async (application) => {
      if (leaving) throw new TowlineError('TL_ENGINE_LOST', 'it is ending with its last service', { hint: 'try again' })
      applying++
      try {
        const model = await keepModel(paths, application.service.model.path)
        const hash = `${revisionOf(application.service)}-${model.digest}`
        const old = services.get(application.service.name)
        const { service, file } = application
        admit({ service, file, modelDigest: model.digest, nowMs: clock.nowMs() }, old?.record, hash)
        if (old?.record.stopping === true) await waitUntil(() => !services.has(old.record.name), stop.signal)
        await waitForGateway()
        const applied = lastApplied.then(() => applyService({ ...application, hash, model }, { services, around }))
        lastApplied = applied.catch(() => undefined)
        const hands = await applied
        hadService = true
        wake()
        return hands.status()
      } finally {
        applying--
      }
    },
    plan: async (application) => {
      const { name, model: source } = application.service
      const model = { digest: (await printModel(source.path)).digest, path: source.path }
      if (gateway.ready) await gateway.readTraffic().catch(() => undefined)
      const hash = `${revisionOf(application.service)}-${model.digest}`
      const record = services.get(name)?.record
      const traffic = gateway.traffic.find(({ service }) => service === name)
      const nowMs = clock.nowMs()
      const gate = askGate({ ...application, modelDigest: model.digest, nowMs }, record, hash)
      return reportPlan({ application: { ...application, hash, model }, record, traffic, nowMs, gate })
    },
    remove: async (name) => {
      const hands = find(name)
      if (!hands.record.stopping) hands.change({ stopping: true })
      await waitUntil(() => services.get(name) !== hands, stop.signal)
      if (services.size === 0 && applying === 0) await done
    },
    scale: (name, replicas) => {
      const hands = find(name)
      hands.change(scaleRecord(hands.record, replicas, clock.nowMs()))
      return hands.status()
    },
    order: (name, order) => {
      const hands = find(name)
      const effect = orderService(hands.record, order, clock.nowMs())
      if (effect.kind === 'Nothing') return { nothing: effect.why, status: hands.status() }
      hands.change(effect.change)
      hands.expectChange()
      return { nothing: null, status: hands.status() }
    },
    history: (name) => {
      const hands = find(name)
      return { revisions: hands.status().revisions, rollouts: hands.record.history }
    },
    load: async () => {
      await gateway.readTraffic()
      return { atMs: clock.nowMs(), services: [...services.values()].map((hands) => hands.load()) }
    },
    restartGateway: async () => {
      await gateway.replace()
      return await status()
    },
    status,
    serviceStatus: (name) => find(name).status(),
    events: (name, count) => events.list(find(name).record.name, count),
    watch: async function* (name, signal) {
      const hands = find(name)
      let last = hands.status()
      yield last
      for await (const _ of changes(signal)) {
        if (services.get(name) !== hands) return
        const now = hands.status()
        // Counts alone are no change: under load they differ at each look.
        if (withoutCounts(now) === withoutCounts(last)) continue
        last = now
        yield now
      }
    },
    close: async () => {
      stop.abort()
      for (const replica of livingReplicas()) replica.letGo()
      for (const listener of listeners) listener()
      await loops
    },
  }
}

/** What a watcher hears of at once. */
function withoutCounts({ rollout, revisions, ...status }: ServiceStatus): string {
  const still =
    rollout === null
      ? null
      : { ...rollout, candidate: { ...rollout.candidate, weight: rollout.candidate.weight?.written } }
  return JSON.stringify({
    ...status,
    traffic: null,
    summary: rollout === null ? status.summary : '',
    rollout: still,
    revisions: revisions.map((revision) => ({ ...revision, latency: null })),
  })
}

import assert from 'node:assert/strict'
import type { Clock } from '../../src/base/clock.ts'
import { TowlineError } from '../../src/base/errors.ts'
import { judge } from '../../src/decide/judge/judge.ts'
import {
  type ReplicaAction,
  type ReplicaObservation,
  decideReplicas,
  isServing,
  isUsable,
} from '../../src/decide/replicas.ts'
import { type AdmittedApplication, nextRecord } from '../../src/engine/apply.ts'
import type { RevisionCounts, RevisionWeight } from '../../src/engine/gateway/gateway-config.ts'
import type { CountedRoute } from '../../src/engine/rollout/evidence.ts'
import type { RolledReplica } from '../../src/engine/rollout/observe-rollout.ts'
import { type ServiceOrder, orderService } from '../../src/engine/rollout/orders.ts'
import { type RolledService, RolloutHands } from '../../src/engine/rollout/rollout-hands.ts'
import { type ServiceRecord, countDesired } from '../../src/engine/state/records.ts'
import type { Service } from '../../src/spec/service.ts'
import { sampleRecord, sampleRevision } from './service-sample.ts'

/** How a revision behaves once it is started. */
export type Behaviour = 'Healthy' | 'NeverReady' | 'FailsSmoke' | 'Erroring'

type Simulated = { -readonly [key in keyof ReplicaObservation]: ReplicaObservation[key] } & {
  readyAtMs: number
  restarts: number
}

const tickMs = 500
const startMs = 1500
const drainMs = 1000
const requestsPerTick = 40

/**
 * The engine's own hands for rollouts over replicas and a gateway that are only numbers: time passes when a test says so.
 * Each look checks what must hold whatever happens; what is written goes through JSON, as it does in the database.
 */
export class RolloutWorld {
  nowMs = 1_000_000
  silent = false
  gatewayDownMs = 0
  record: ServiceRecord
  readonly replicas: Simulated[] = []
  readonly behaviours = new Map<number, Behaviour>([[1, 'Healthy']])
  /** Rollouts that a person sent past the judge. */
  readonly overruled = new Set<string>()
  #hands: RolloutHands
  #started = 0
  #toldWeights: readonly RevisionWeight[] | null = null
  #gateway = createCounts('gateway-0', this.nowMs)
  #gateways = 0
  #traffic: CountedRoute | undefined

  constructor(record: ServiceRecord) {
    this.record = record
    this.#hands = this.#createHands()
  }

  apply(application: AdmittedApplication, behaviour: Behaviour): void {
    try {
      this.#write(nextRecord(this.record, application, this.nowMs))
    } catch (error) {
      if (!(error instanceof TowlineError && error.code === 'TL_ROLLOUT_REJECTED')) throw error
      return
    }
    if (!this.behaviours.has(this.record.target)) this.behaviours.set(this.record.target, behaviour)
  }

  scale(replicas: number): void {
    this.#write({ scale: { replicas, reason: 'set by hand', changedAtMs: this.nowMs, autoscaler: null } })
  }

  order(order: ServiceOrder): void {
    try {
      const effect = orderService(this.record, order, this.nowMs)
      if (effect.kind === 'Nothing') return
      const before = this.record
      const plan = before.rollout?.plan
      if (order.verb === 'Promote' && plan !== undefined) this.overruled.add(plan.id)
      this.#write(effect.change)
      // A retry and a restart are what they repeat.
      const from = order.verb === 'Retry' ? before.rejected?.revision : before.stable
      const known = this.behaviours.get(from ?? 0) ?? 'Healthy'
      if (!this.behaviours.has(this.record.target)) this.behaviours.set(this.record.target, known)
      const again = effect.kind === 'Change' && orderService(this.record, order, this.nowMs)
      if (order.verb === 'Pause' || order.verb === 'Abort')
        assert.equal(again && again.kind, 'Nothing', `${order.verb} twice`)
    } catch (error) {
      if (!(error instanceof TowlineError && error.code === 'TL_ROLLOUT_REFUSED')) throw error
    }
  }

  crash(which: number): void {
    const replica = this.replicas[which % Math.max(1, this.replicas.length)]
    if (replica !== undefined && replica.phase !== 'Waiting') this.#end(replica)
  }

  /** All that was only in memory is gone; processes and what is written stay. */
  restartEngine(): void {
    this.#hands = this.#createHands()
    this.#toldWeights = null
    this.#traffic = undefined
    for (const replica of this.replicas) replica.inRoute = false
  }

  restartGateway(downMs: number): void {
    this.gatewayDownMs = downMs
    this.#gateway = createCounts(`gateway-${++this.#gateways}`, this.nowMs)
  }

  /** One look, and half a second. */
  tick(): void {
    this.nowMs += tickMs
    this.#live()
    this.#serve()
    this.#look()
  }

  serving(revision?: number): number {
    return this.replicas.filter((replica) => isServing(replica) && (revision ?? replica.revision) === replica.revision)
      .length
  }

  of(revision: number): readonly Simulated[] {
    return this.replicas.filter((replica) => replica.revision === revision && replica.ending !== 'Retire')
  }

  #look(): void {
    this.#hands.look()
    const wanted = this.#hands.wanted()
    const actions = decideReplicas({ nowMs: this.nowMs, wanted, replicas: this.replicas })
    const before = { serving: this.serving(), rollout: this.record.rollout }
    this.#route(actions)
    for (const action of actions) this.#act(action)
    this.#checkCapacity(before.serving)
  }

  #route(actions: readonly ReplicaAction[]): void {
    const weights = this.#hands.weights()
    checkWeights(weights)
    const changes = actions.some(({ kind }) => kind === 'AddEndpoint' || kind === 'RemoveEndpoint')
    if (
      this.gatewayDownMs > 0 ||
      (!changes && JSON.stringify(weights) === JSON.stringify(this.#toldWeights) && this.#traffic !== undefined)
    )
      return
    for (const action of actions) {
      if (action.kind !== 'AddEndpoint' && action.kind !== 'RemoveEndpoint') continue
      const replica = this.#find(action.replica)
      if (action.kind === 'AddEndpoint') assert.equal(replica.phase, 'Ready', 'weight only for what is ready')
      replica.inRoute = action.kind === 'AddEndpoint'
    }
    const candidate = this.record.rollout?.plan.candidate
    const weight = weights?.find(({ revision }) => revision === candidate)?.percent ?? 0
    if (weight > 0)
      assert.ok(
        this.replicas.some((one) => one.revision === candidate && isUsable(one)),
        'weight for nobody',
      )
    this.#toldWeights = weights
    this.#hands.noteRoute(weights, this.#status())
    this.#traffic = this.#status()
  }

  #serve(): void {
    if (this.gatewayDownMs > 0) {
      this.gatewayDownMs -= tickMs
      return
    }
    const weights = this.#toldWeights
    const routed = this.replicas.filter((replica) => isServing(replica))
    if (!this.silent && routed.length > 0) {
      const shares = Map.groupBy(routed, ({ revision }) => revision)
      for (const [revision, own] of shares) {
        const percent = weights?.find((weight) => weight.revision === revision)?.percent
        const share = weights === null ? own.length / routed.length : (percent ?? 0) / 100
        this.#gateway.add(revision, requestsPerTick * share, this.behaviours.get(revision) === 'Erroring' ? 0.3 : 0)
      }
    }
    this.#traffic = this.#status()
  }

  #status(): CountedRoute {
    return this.#gateway.status(this.nowMs)
  }

  #live(): void {
    for (const replica of this.replicas) {
      const { nowMs } = this
      if (replica.phase === 'Draining' && nowMs >= replica.dueAtMs - drainMs) this.#end(replica)
      if (replica.phase !== 'Starting' || nowMs < replica.readyAtMs) continue
      const behaviour = this.behaviours.get(replica.revision) ?? 'Healthy'
      if (behaviour === 'Healthy' || behaviour === 'Erroring')
        Object.assign(replica, { phase: 'Ready', proven: true, failures: 0 })
      else {
        replica.failures++
        replica.hopeless = behaviour === 'FailsSmoke'
        this.#end(replica)
      }
    }
  }

  #act(action: ReplicaAction): void {
    if (action.kind === 'AddEndpoint' || action.kind === 'RemoveEndpoint') return
    if (action.kind === 'Start') return this.#start(action.revision)
    const replica = this.#find(action.replica)
    switch (action.kind) {
      case 'Retire':
        replica.ending = 'Retire'
        return
      case 'Drain':
        assert.equal(replica.inRoute, false, 'nothing is stopped while the gateway may send it requests')
        replica.phase = 'Draining'
        replica.dueAtMs = this.nowMs + 2 * drainMs
        return
      case 'Kill':
        return this.#end(replica)
      case 'Restart':
        replica.restarts++
        return this.#begin(replica)
      case 'Forget':
        this.replicas.splice(this.replicas.indexOf(replica), 1)
    }
  }

  #start(revision: number): void {
    // One that is rolled back serves until the other one does.
    const { rejected, stable } = this.record
    assert.ok(revision === stable || revision !== rejected?.revision, 'a rejected revision is started again')
    const replica: Simulated = {
      name: `r${this.#started++}`,
      revision,
      phase: 'Starting',
      inRoute: false,
      ending: null,
      startedAtMs: 0,
      dueAtMs: 0,
      proven: false,
      failures: 0,
      hopeless: false,
      readyAtMs: 0,
      restarts: 0,
    }
    this.#begin(replica)
    this.replicas.push(replica)
  }

  #begin(replica: Simulated): void {
    Object.assign(replica, { phase: 'Starting', startedAtMs: this.nowMs, readyAtMs: this.nowMs + startMs })
  }

  #end(replica: Simulated): void {
    Object.assign(replica, { phase: 'Waiting', dueAtMs: this.nowMs + tickMs })
    if (replica.ending === 'Restart') replica.ending = null
  }

  #find(name: string): Simulated {
    const replica = this.replicas.find((one) => one.name === name)
    assert.ok(replica, `an action names ${name}, which does not exist`)
    return replica
  }

  /** What a rollout does by itself never leaves fewer than the spec allows; what fails from outside is not its doing. */
  #checkCapacity(before: number): void {
    const { rollout } = this.record
    if (rollout === null || this.gatewayDownMs > 0) return
    const { plan, state } = rollout
    if (plan.surge === 'Recreate') return
    const desired = countDesired(this.record)
    const least = plan.surge === 'Swap' ? desired - 1 : desired
    // Hard failures take a candidate out at once, whoever else serves.
    if (state.position.phase === 'Aborting' && state.position.stage !== 'Restoring') return
    const left = this.replicas.filter((replica) => isServing(replica)).length
    const usable = this.replicas.filter((replica) => isUsable(replica)).length
    assert.ok(
      Math.max(left, usable) >= Math.min(before, least),
      `${left} of ${before} serve at ${JSON.stringify(state.position)}`,
    )
  }

  #createHands(): RolloutHands {
    const clock: Clock = {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      sleep: () => Promise.reject(new Error('time passes by ticks here')),
    }
    const seen = (): RolledReplica[] =>
      this.replicas.map((replica) => ({
        record: {
          revision: replica.revision,
          restarts: replica.restarts,
          lastFailure: { reason: replica.hopeless ? 'SmokeFailed' : 'Crashed', message: 'it did', hint: null, atMs: 0 },
        },
        observe: () => replica,
      }))
    const service = Object.defineProperties({} as RolledService, {
      record: { get: () => this.record },
      replicas: { get: seen },
      traffic: { get: () => this.#traffic },
      change: { value: (change: Partial<ServiceRecord>) => this.#write(change) },
    })
    return new RolloutHands(service, clock, { windowMs: 1000, warmUpMs: 500 })
  }

  #write(change: Partial<ServiceRecord>): void {
    const before = this.record
    const after = JSON.parse(JSON.stringify({ ...before, ...change })) as ServiceRecord
    assert.notDeepEqual(
      after,
      JSON.parse(JSON.stringify(before)),
      `a write that changes nothing: ${Object.keys(change).join()}`,
    )
    this.record = after
    this.#checkPromotion(before)
  }

  /** Full weight is for what the judge has let pass, or a person; and an abort ends where it began. */
  #checkPromotion(before: ServiceRecord): void {
    const rollout = before.rollout
    if (rollout === null) return
    const { plan, state } = rollout
    const after = this.record.rollout
    const isPromoted =
      after?.plan.id === plan.id && after.state.position.phase === 'Promoting' && state.position.phase === 'Baking'
    if (isPromoted && plan.kind === 'Canary' && !this.overruled.has(plan.id))
      assert.equal(judge(after.state.judge, plan.policy.judge).verdict, 'Pass', 'promoted without proof')
    const ended = this.record.history.at(-1)
    if (after !== null || ended?.id !== plan.id) return
    assert.equal(this.record.stable, ended.outcome === 'Promoted' ? plan.candidate : plan.stable)
    if (ended.outcome === 'Promoted') return
    assert.equal(this.serving(plan.candidate), 0, 'an abort leaves a candidate in the route')
  }
}

function checkWeights(weights: readonly RevisionWeight[] | null): void {
  if (weights === null) return
  assert.equal(
    weights.reduce((sum, { percent }) => sum + percent, 0),
    100,
  )
  assert.ok(weights.every(({ percent }) => percent >= 0))
}

function createCounts(countedSince: string, startMs: number) {
  const counts = new Map<number, { requests: number; errors: number }>()
  return {
    add: (revision: number, requests: number, errorShare: number): void => {
      const { requests: before = 0, errors = 0 } = counts.get(revision) ?? {}
      counts.set(revision, { requests: before + requests, errors: errors + requests * errorShare })
    },
    status: (nowMs: number): CountedRoute => ({
      countedSince,
      measuredAtMs: nowMs - startMs,
      revisions: [...counts].map(([revision, { requests, errors }]): RevisionCounts => ({
        revision,
        requests: Math.round(requests),
        errors: Math.round(errors),
        refused: 0,
        slow: 0,
        inFlight: 0,
        latency: null,
      })),
    }),
  }
}

/** A service of one revision that has served, as an engine would have written it. */
export function createRecord(service: Service): ServiceRecord {
  return sampleRecord(service, [sampleRevision(1, { hash: 'first', service, modelDigest: 'sha256:aa' })])
}

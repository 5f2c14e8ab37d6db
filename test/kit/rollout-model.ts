import assert from 'node:assert/strict'
import type { EvidenceWindow } from '../../src/decide/judge/judge.ts'
import { type ReplicaObservation, decideReplicas, isGivenUp, isServing, isUsable } from '../../src/decide/replicas.ts'
import { planCapacity } from '../../src/decide/rollout/capacity.ts'
import { hardReasons } from '../../src/decide/rollout/cause.ts'
import type { RevisionObservation, RolloutObservation } from '../../src/decide/rollout/observation.ts'
import { type RolloutOrder, takeOrder } from '../../src/decide/rollout/order.ts'
import type { RolloutPlan } from '../../src/decide/rollout/plan.ts'
import type { Cause, RolloutState } from '../../src/decide/rollout/state.ts'
import { abortRollout, startRollout, stepRollout } from '../../src/decide/rollout/step.ts'
import { planWeight } from '../../src/decide/rollout/weight.ts'
import { judge } from '../../src/decide/judge/judge.ts'

/** How a revision is, for as long as one walk lasts. */
export type Nature = 'Healthy' | 'NeverReady' | 'FailsSmoke'
type Simulated = { -readonly [key in keyof ReplicaObservation]: ReplicaObservation[key] }

/** What the gateway goes by, whether or not the hands know. */
interface Route {
  readonly names: ReadonlySet<string>
  readonly weight: number | null
}

const cause = (reason: Cause['reason']): Cause => ({ reason, message: reason, hint: null })
const requestsPerLook = 100
const windows = {
  Good: { bad: 0, requests: 2000 },
  Bad: { bad: 400, requests: 2000 },
  Crashing: { bad: 2000, requests: 2000 },
  Silent: { bad: 0, requests: 0 },
} as const
export type WindowKind = keyof typeof windows

/**
 * One rollout between replicas and a gateway that are only values. A look is what hands do: step, write, size, route, act.
 * Between looks a test lets anything happen; each look checks what must hold.
 */
export class RolloutModel {
  readonly plan: RolloutPlan
  state: RolloutState
  nowMs = 0
  replicas: number
  readonly #set: Simulated[] = []
  readonly #natures: ReadonlyMap<number, Nature>
  #route: Route = { names: new Set(), weight: null }
  #confirmed: { weight: number | null; stable: number; candidate: number } | null = null
  #window: EvidenceWindow | null = null
  #started = 0
  #isOverruled = false
  /** Of the present look: the gateway takes the route and its answer is lost, or it cannot be reached. */
  #answer: 'Comes' | 'Lost' | 'Unreachable' = 'Comes'
  #isSilent = false
  /** Replicas wanted when the last step was taken: growth since then is not its doing. */
  #decidedFor: number
  #placesBefore = 0
  #hasGivenUp = false

  constructor(plan: RolloutPlan, nature: Nature) {
    this.plan = plan
    this.replicas = plan.leastReplicas
    this.#decidedFor = plan.leastReplicas
    this.#natures = new Map([
      [plan.stable, 'Healthy'],
      [plan.candidate, nature],
    ])
    for (let count = 0; count < plan.leastReplicas; count++) this.#start(plan.stable)
    for (const replica of this.#set) Object.assign(replica, { phase: 'Ready', proven: true, inRoute: true })
    this.#route = { names: new Set(this.#set.map(({ name }) => name)), weight: null }
    this.state = startRollout(plan, 0)
  }

  get isOver(): boolean {
    return this.state.position.phase === 'Done'
  }

  pass(ms: number): void {
    this.nowMs += ms
  }

  /** Whatever is starting is ready, or has failed; whatever drains is gone. */
  live(): void {
    for (const replica of this.#set.slice()) {
      if (replica.phase === 'Draining') this.#set.splice(this.#set.indexOf(replica), 1)
      if (replica.phase !== 'Starting') continue
      const nature = this.#natures.get(replica.revision)
      if (nature === 'Healthy') Object.assign(replica, { phase: 'Ready', proven: true, failures: 0 })
      else {
        Object.assign(replica, { failures: replica.failures + 1, hopeless: nature === 'FailsSmoke' })
        this.crash(replica.name)
      }
    }
  }

  crashOne(revision: number, choice: number): void {
    const running = this.#set.filter((replica) => replica.revision === revision && replica.phase === 'Ready')
    const replica = running[choice % Math.max(1, running.length)]
    if (replica !== undefined) this.crash(replica.name)
  }

  crash(name: string): void {
    const replica = this.#find(name)
    if (replica.ending === 'Retire' && !replica.inRoute) this.#set.splice(this.#set.indexOf(replica), 1)
    else Object.assign(replica, { phase: 'Waiting', dueAtMs: this.nowMs + 1 })
  }

  see(kind: WindowKind): void {
    const { bad, requests } = windows[kind]
    const candidate = { requests, errors: bad, slow: 0 }
    this.#window = { durationMs: 10_000, candidate, stable: { requests: 4000, errors: 0, slow: 0 } }
  }

  silence(isSilent: boolean): void {
    this.#isSilent = isSilent
  }

  loseAnswer(how: 'Lost' | 'Unreachable'): void {
    this.#answer = how
  }

  /** What was only in memory is gone. Whoever may be in the route is taken to be in it. */
  restartEngine(): void {
    this.#confirmed = null
    this.#window = null
    for (const replica of this.#set) replica.inRoute = replica.phase !== 'Waiting'
  }

  order(order: RolloutOrder): void {
    const result = takeOrder(this.plan, this.state, order, this.nowMs)
    if (result.kind !== 'Taken') return
    if (order.verb === 'Promote') this.#isOverruled = true
    assert.notEqual(
      JSON.stringify(result.state),
      JSON.stringify(this.state),
      'an order that was taken changes something',
    )
    this.#write(result.state)
    const exact = order.verb === 'Promote' && order.step === null && !order.full
    if (!exact) assert.notEqual(takeOrder(this.plan, this.state, order, this.nowMs).kind, 'Taken', 'said twice')
  }

  supersede(): void {
    this.#write(abortRollout(this.plan, this.state, cause('Superseded'), this.nowMs))
  }

  look(): void {
    this.#serve()
    const before = this.#set.filter((replica) => this.#isCarrying(replica)).length
    for (let step = 0; step < 4 && !this.isOver; step++) {
      const seen = this.#observe()
      const next = stepRollout(this.plan, this.state, seen)
      if (next === this.state) break
      assert.notEqual(JSON.stringify(next), JSON.stringify(this.state), 'a step that is written changes something')
      this.#checkSame(seen, next)
      this.#write(next)
      this.#window = null
    }
    this.#window = null
    const seen = this.#observe()
    const capacity = planCapacity(this.plan, this.state, seen)
    const weight = planWeight(this.plan, this.state, seen)
    const { stable, candidate } = this.plan
    const actions = decideReplicas({
      nowMs: this.nowMs,
      wanted: [
        { revision: stable, replicas: capacity.stable, routed: weight !== 100 },
        { revision: candidate, replicas: capacity.candidate, routed: weight !== 0 },
      ],
      replicas: this.#set,
    })
    this.#put(actions, weight)
    for (const action of actions) {
      if (action.kind === 'Start') this.#start(action.revision)
      else if (action.kind === 'Retire') this.#find(action.replica).ending = 'Retire'
      else if (action.kind === 'Restart')
        Object.assign(this.#find(action.replica), { phase: 'Starting', startedAtMs: this.nowMs })
      else if (action.kind === 'Forget') this.#set.splice(this.#set.indexOf(this.#find(action.replica)), 1)
      else if (action.kind === 'Drain') {
        assert.ok(!this.#route.names.has(action.replica), 'nothing is stopped while the gateway may send it requests')
        Object.assign(this.#find(action.replica), { phase: 'Draining', dueAtMs: this.nowMs + 1e9 })
      }
    }
    this.#answer = 'Comes'
    this.#check(before)
  }

  #put(actions: ReturnType<typeof decideReplicas>, weight: number | null): void {
    if (this.#answer === 'Unreachable') return
    const names = new Set(this.#set.filter(({ inRoute }) => inRoute).map(({ name }) => name))
    for (const action of actions) {
      if (action.kind === 'AddEndpoint') names.add(action.replica)
      if (action.kind === 'RemoveEndpoint') names.delete(action.replica)
    }
    const routed = this.#set.filter(({ name }) => names.has(name))
    const { stable, candidate } = this.plan
    const without = weight === 0 ? candidate : weight === 100 ? stable : null
    assert.ok(
      routed.every(({ revision }) => revision !== without),
      'a revision with weight 0 gets nothing',
    )
    if (weight !== null && weight > 0)
      assert.ok(
        routed.some((one) => one.revision === candidate && isUsable(one)),
        'weight for nobody',
      )
    assert.ok(weight === null || (Number.isInteger(weight) && weight >= 0 && weight <= 100), `weight ${weight}`)
    this.#route = { names, weight }
    if (this.#answer === 'Lost') {
      // Whoever may be in the route is taken to be in it, and no weight is known.
      this.#confirmed = null
      for (const replica of routed) replica.inRoute = true
      return
    }
    for (const replica of this.#set) replica.inRoute = names.has(replica.name)
    if (this.#confirmed?.weight !== weight || this.#confirmed === null)
      this.#confirmed = { weight, stable: 0, candidate: 0 }
  }

  /** Requests since the last look, by the weights of the gateway. */
  #serve(): void {
    if (this.#confirmed === null || this.#isSilent) return
    const share = (this.#route.weight ?? 50) / 100
    this.#confirmed.candidate += requestsPerLook * share
    this.#confirmed.stable += requestsPerLook * (1 - share)
  }

  /** The gateway may ask it, and nobody has told it to end. */
  #isCarrying(replica: Simulated): boolean {
    return this.#route.names.has(replica.name) && isUsable(replica)
  }

  /** What the machine does by itself leaves as many as the plan allows; only what failed from outside may be missing. */
  #check(before: number): void {
    const { plan, state, replicas } = this
    const { position } = state
    const candidates = this.#set.filter(({ revision }) => revision === plan.candidate)
    if (plan.surge === 'Recreate' || this.isOver) return
    if (plan.surge === 'Swap') {
      const places = Math.max(1, replicas, plan.leastReplicas, this.#placesBefore)
      assert.ok(this.#set.length <= places, `${this.#set.length} replicas in ${places} places`)
      this.#placesBefore = Math.max(1, replicas, plan.leastReplicas, Math.min(this.#placesBefore, this.#set.length))
    }
    const isHard =
      position.phase === 'Aborting' &&
      (hardReasons.has(position.cause.reason) || candidates.every((one) => !isUsable(one)))
    if (isHard || this.#hasGivenUp || state.pause?.reason === 'Failed') return
    const down = this.#set.filter((one) => one.ending === null && one.proven && !isUsable(one)).length
    const after = this.#set.filter((replica) => this.#isCarrying(replica)).length
    const able = this.#set.filter(isUsable).length
    const wanted = Math.min(replicas, this.#decidedFor)
    const least = (plan.surge === 'Swap' ? wanted - 1 : wanted) - down
    // On the way there a swap counts who is ready: the next step gives them their weight.
    const left = plan.surge === 'Swap' && position.phase !== 'Aborting' ? able : after
    assert.ok(
      left >= Math.min(before, least),
      `${left} carry where ${before} did and ${least} should, at ${JSON.stringify(position)}`,
    )
  }

  #write(next: RolloutState): void {
    const before = this.state.position
    const { position, pause } = next
    const isCanary = this.plan.kind === 'Canary'
    const toFull = position.phase === 'Promoting' && before.phase === 'Baking'
    const isPromoted = position.phase === 'Done' && position.outcome === 'Promoted'
    if (isCanary && this.plan.surge === 'Surge' && (toFull || isPromoted) && !this.#isOverruled)
      assert.equal(judge(next.judge, this.plan.policy.judge).verdict, 'Pass', 'full weight without proof')
    if (isPromoted && isCanary) assert.notEqual(judge(next.judge, this.plan.policy.judge).verdict, 'Fail')
    if (
      position.phase === 'Aborting' &&
      before.phase === 'Aborting' &&
      before.stage === 'Restoring' &&
      position.stage === 'Shifting'
    )
      this.#hasGivenUp = this.nowMs - before.sinceMs >= 120_000
    if (position.phase === 'Aborting' || position.phase === 'Done') assert.equal(pause, null)
    this.#decidedFor = this.replicas
    this.state = JSON.parse(JSON.stringify(next)) as RolloutState
  }

  /** From what is stored, the same decision once more. */
  #checkSame(seen: RolloutObservation, next: RolloutState): void {
    const stored = JSON.stringify([this.plan, this.state, seen])
    const again = JSON.parse(stored) as [RolloutPlan, RolloutState, RolloutObservation]
    assert.equal(JSON.stringify(stepRollout(...again)), JSON.stringify(next))
    assert.equal(JSON.stringify(again), stored, 'what is given is not changed')
  }

  #observe(): RolloutObservation {
    const confirmed = this.#confirmed
    return {
      nowMs: this.nowMs,
      replicas: this.replicas,
      stable: this.observeRevision(this.plan.stable),
      candidate: this.observeRevision(this.plan.candidate),
      route:
        confirmed === null
          ? null
          : { weight: confirmed.weight, requests: { stable: confirmed.stable, candidate: confirmed.candidate } },
      window: this.#window,
    }
  }

  observeRevision(revision: number): RevisionObservation {
    const own = this.#set.filter((replica) => replica.revision === revision)
    return {
      total: own.length,
      staying: own.filter(({ ending }) => ending !== 'Retire').length,
      ready: own.filter(isUsable).length,
      serving: own.filter(isServing).length,
      restarts: 0,
      failure: own.some(isGivenUp) ? cause('NeverReady') : null,
    }
  }

  #start(revision: number): void {
    this.#set.push({
      name: `r${this.#started++}`,
      revision,
      phase: 'Starting',
      inRoute: false,
      ending: null,
      startedAtMs: this.nowMs,
      dueAtMs: 0,
      proven: false,
      failures: 0,
      hopeless: false,
    })
  }

  #find(name: string): Simulated {
    const found = this.#set.find((replica) => replica.name === name)
    assert.ok(found, `no replica ${name}`)
    return found
  }
}

import type { Clock } from '../../base/clock.ts'
import { newShortId } from '../../base/id.ts'
import { planRollout } from '../../decide/rollout/begin.ts'
import { planCapacity } from '../../decide/rollout/capacity.ts'
import type { RolloutObservation, RouteObservation } from '../../decide/rollout/observation.ts'
import { abortRollout, startRollout, stepRollout } from '../../decide/rollout/step.ts'
import { planWeight } from '../../decide/rollout/weight.ts'
import type { WantedRevision } from '../../decide/replicas.ts'
import type { RevisionWeight } from '../gateway/gateway-config.ts'
import { type RolloutRecord, type ServiceRecord, countDesired, findRevision } from '../state/records.ts'
import { type CountedRoute, type EvidencePace, EvidenceSampler } from './evidence.ts'
import { type RolledReplica, observeRevision } from './observe-rollout.ts'
import { endRollout } from './end-rollout.ts'

/** What a rollout looks at and writes to: one service, as it is at the moment of each reading. */
export interface RolledService {
  readonly record: ServiceRecord
  readonly replicas: readonly RolledReplica[]
  readonly traffic: CountedRoute | undefined
  /** Written durably before it returns; throws when it cannot be. */
  change(change: Partial<ServiceRecord>): void
}

/** Steps that may follow from one look without anything new being seen. */
const maxStepsInLook = 4

/** The rollouts of one service: sees, lets `decide/rollout` decide, writes it down, says who should have how many and how much. */
export class RolloutHands {
  readonly #service: RolledService
  readonly #clock: Clock
  readonly #sampler: EvidenceSampler
  /** What the gateway confirmed last, with its counts at that moment. */
  #confirmed: { readonly weights: readonly RevisionWeight[] | null; readonly status: CountedRoute } | undefined

  constructor(service: RolledService, clock: Clock, pace: EvidencePace) {
    this.#service = service
    this.#clock = clock
    this.#sampler = new EvidenceSampler(pace)
  }

  /** One look; throws a TowlineError when its result cannot be written, and nothing has changed then. */
  look(): void {
    this.#begin()
    const { rollout } = this.#service.record
    if (rollout === null) return this.#coolDown()
    const window = this.#sampler.sample(stretchOf(rollout), this.#service.traffic, rollout.plan)
    for (let step = 0; step < maxStepsInLook; step++) {
      const current = this.#service.record.rollout
      if (current === null || !this.#step(current, step === 0 ? window : null)) return
    }
  }

  wanted(): readonly WantedRevision[] {
    const { record } = this.#service
    const { stopping, stable, rollout, warm } = record
    if (stopping) return []
    const moved = rollout === null ? [stable] : [rollout.plan.stable, rollout.plan.candidate]
    const waiting = warm
      .filter(({ revision }) => !moved.includes(revision))
      .map(({ revision, replicas }) => ({ revision, replicas, routed: false }))
    if (rollout === null) return [{ revision: stable, replicas: countDesired(record), routed: true }, ...waiting]
    const { plan, state } = rollout
    const observation = this.#observe(rollout, null)
    const capacity = planCapacity(plan, state, observation)
    const weight = planWeight(plan, state, observation)
    return [
      { revision: plan.stable, replicas: capacity.stable, routed: weight !== 100 },
      { revision: plan.candidate, replicas: capacity.candidate, routed: weight !== 0 },
      ...waiting,
    ]
  }

  /** Null: all replicas in the route are alike. */
  weights(): readonly RevisionWeight[] | null {
    const { rollout, stopping } = this.#service.record
    if (rollout === null || stopping) return null
    const weight = planWeight(rollout.plan, rollout.state, this.#observe(rollout, null))
    if (weight === null) return null
    return [
      { revision: rollout.plan.stable, percent: 100 - weight },
      { revision: rollout.plan.candidate, percent: weight },
    ]
  }

  /** The gateway has taken a route with these weights. Counts begin anew where they are others than before. */
  noteRoute(weights: readonly RevisionWeight[] | null, status: CountedRoute): void {
    if (JSON.stringify(this.#confirmed?.weights) === JSON.stringify(weights)) return
    this.#confirmed = { weights, status }
  }

  /** Nothing is known of the route any more. */
  forgetRoute(): void {
    this.#confirmed = undefined
  }

  /** Since the present weight was confirmed; null where that is not known. */
  observeRoute(): RouteObservation | null {
    const { record, traffic } = this.#service
    const confirmed = this.#confirmed
    if (confirmed === undefined || traffic === undefined || record.rollout === null) return null
    const { stable, candidate } = record.rollout.plan
    const weight = confirmed.weights?.find(({ revision }) => revision === candidate)?.percent ?? null
    // Another gateway process began to count at 0, with the same weights.
    const isSame = traffic.countedSince === confirmed.status.countedSince
    const since = (revision: number): number =>
      Math.max(0, countSent(traffic, revision) - (isSame ? countSent(confirmed.status, revision) : 0))
    return { weight, requests: { stable: since(stable), candidate: since(candidate) } }
  }

  #begin(): void {
    const { record } = this.#service
    const { rollout, target, stable, applied, stopping } = record
    const nowMs = this.#clock.nowMs()
    if (rollout !== null) {
      if (rollout.plan.candidate === target || rollout.state.position.phase === 'Done') return
      const cause = {
        reason: 'Superseded',
        message: `revision ${target} was applied before this rollout was over`,
        hint: null,
      } as const
      const state = abortRollout(rollout.plan, rollout.state, cause, nowMs)
      if (state !== rollout.state) this.#service.change({ rollout: { ...rollout, state } })
      return
    }
    if (target === stable || stopping || applied.paused) return
    const plan = planRollout({
      id: `plan-${newShortId()}`,
      reason: 'Apply',
      rollout: applied.rollout,
      stable,
      candidate: target,
      replicas: countDesired(record),
      stableProven: findRevision(record, stable).proven,
    })
    this.#service.change({ rollout: { plan, state: startRollout(plan, nowMs), startedAtMs: nowMs } })
  }

  /** True when it went a step further. */
  #step(rollout: RolloutRecord, window: RolloutObservation['window']): boolean {
    const { plan, state } = rollout
    const next = stepRollout(plan, state, this.#observe(rollout, window))
    if (next === state) return false
    const changed = { ...rollout, state: next }
    if (next.position.phase === 'Done')
      this.#service.change(endRollout(this.#service.record, changed, this.#clock.nowMs()))
    else this.#service.change({ rollout: changed })
    return true
  }

  #observe({ plan }: RolloutRecord, window: RolloutObservation['window']): RolloutObservation {
    const { record, replicas } = this.#service
    return {
      nowMs: this.#clock.nowMs(),
      replicas: countDesired(record),
      stable: observeRevision(plan.stable, replicas),
      candidate: observeRevision(plan.candidate, replicas),
      route: this.observeRoute(),
      window,
    }
  }

  #coolDown(): void {
    const { warm } = this.#service.record
    const nowMs = this.#clock.nowMs()
    const left = warm.filter(({ untilMs }) => untilMs > nowMs)
    if (left.length < warm.length) this.#service.change({ warm: left })
  }
}

/** Within one stretch the weights are the same, so that its counts can be compared. */
function stretchOf({ plan, state: { position } }: RolloutRecord): string | null {
  if (position.phase === 'Baking') return `${plan.id} ${position.step}`
  if (position.phase === 'Promoting')
    return `${plan.id} ${position.stage === 'Scaling' ? plan.steps.length - 1 : 'full'}`
  return null
}

/** A slow candidate has its share of the requests long before it has answered them. */
function countSent({ revisions }: CountedRoute, revision: number): number {
  const { requests = 0, inFlight = 0 } = revisions.find((counts) => counts.revision === revision) ?? {}
  return requests + inFlight
}

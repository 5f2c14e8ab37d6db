import { formatMs } from '../../base/display.ts'
import { judge } from '../../decide/judge/judge.ts'
import { planCapacity } from '../../decide/rollout/capacity.ts'
import type { RouteObservation } from '../../decide/rollout/observation.ts'
import { phaseOf } from '../../decide/rollout/state.ts'
import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'
import type { Replica } from '../replica/replica.ts'
import type { RevisionStatus, RolloutStatus } from '../service-status.ts'
import { defaultPace } from './evidence.ts'
import { type ServiceRecord, countDesired } from '../state/records.ts'
import { observeRevision } from './observe-rollout.ts'

const firstEvidenceMs = defaultPace.warmUpMs + defaultPace.windowMs

export interface RolloutFacts {
  readonly record: ServiceRecord
  readonly replicas: readonly Replica[]
  readonly route: RouteObservation | null
  readonly traffic: GatewayRouteStatus | undefined
}

export function describeRollout({ record, replicas, route }: RolloutFacts): RolloutStatus | null {
  if (record.rollout === null) return null
  const { plan, state, startedAtMs } = record.rollout
  const { position, pause } = state
  const stable = observeRevision(plan.stable, replicas)
  const candidate = observeRevision(plan.candidate, replicas)
  const seen = { nowMs: 0, replicas: countDesired(record), stable, candidate, route, window: null }
  const step = 'step' in position ? position.step : null
  return {
    id: plan.id,
    kind: plan.kind,
    from: plan.stable,
    to: plan.candidate,
    phase: phaseOf(state),
    startedAtMs,
    weights: plan.steps.map(({ weight }) => weight),
    step: step === null ? null : step + 1,
    candidate: {
      wanted: planCapacity(plan, state, seen).candidate,
      ready: candidate.ready,
      weight: typeof route?.weight === 'number' ? { written: route.weight, requests: route.requests } : null,
    },
    bake: describeBake(record.rollout),
    pause,
    analysis: state.judge.windows === 0 ? null : judge(state.judge, plan.policy.judge),
    cause: position.phase === 'Aborting' ? position.cause : null,
    moved: position.phase === 'Rolling' ? position.moved : null,
  }
}

function describeBake({ plan, state: { position } }: NonNullable<ServiceRecord['rollout']>): RolloutStatus['bake'] {
  const { bakeMs, minRequests } = plan.policy
  if (position.phase === 'Baking') {
    const neededMs = plan.steps[position.step]?.bakeMs ?? bakeMs
    return { doneMs: position.bakedMs, neededMs, requests: position.requests, minRequests }
  }
  if (position.phase !== 'Promoting' || position.stage !== 'Baking' || plan.kind !== 'Canary') return null
  return { doneMs: position.bakedMs, neededMs: bakeMs, requests: 0, minRequests: 0 }
}

/** One sentence a person can act on. */
export function summarizeRollout(rollout: RolloutStatus, desired: number): string {
  const { from, to, phase, step, weights, candidate, bake, pause, cause, moved } = rollout
  const rest = `revision ${from} serves the rest`
  const weight = describeWeight(rollout)
  switch (phase) {
    case 'Paused':
      return `the rollout of revision ${to} is paused${step === null ? '' : ` at step ${step} of ${weights.length}`} (${pause?.reason}: ${pause?.message}); ${weight}${rest}`
    case 'Rolling':
      return `revision ${to} replaces revision ${from}, one replica at a time: ${Math.min(moved ?? 0, desired)} of ${desired} done`
    case 'Preparing':
      return `revision ${to} is started and has to prove that it can serve; revision ${from} serves all`
    case 'Scaling':
      return `revision ${to} grows for step ${step} of ${weights.length}, ${candidate.ready} of ${candidate.wanted} ready; ${weight}${rest}`
    case 'Shifting':
      return `${weight}step ${step} of ${weights.length} waits until the requests show it; ${rest}`
    case 'Baking':
      return bake === null
        ? `${weight}${rest}`
        : `${weight}step ${step} of ${weights.length}, ${describeWatch(bake)}, ${bake.requests} of at least ${bake.minRequests} requests; ${rest}`
    case 'Promoting':
      return bake === null
        ? `revision ${to} grows to full capacity, ${candidate.ready} of ${candidate.wanted} ready; ${weight}${rest}`
        : `revision ${to} takes all requests, ${describeWatch(bake)}; revision ${from} stands by`
    case 'Aborting':
      return `revision ${to} is being taken back, revision ${from} serves: ${cause?.message ?? ''}`
    case 'Done':
      return 'the rollout is over'
  }
}

/** Evidence is looked at by windows: until the first one is full there is nothing to show. */
function describeWatch({ doneMs, neededMs }: NonNullable<RolloutStatus['bake']>): string {
  if (doneMs === 0) return `waiting for the first evidence, about ${formatMs(firstEvidenceMs)} after the weight`
  return doneMs < neededMs
    ? `watched for ${formatMs(doneMs)} of ${formatMs(neededMs)}`
    : `watched for ${formatMs(doneMs)}, as long as it has to be`
}

/** `revision 4 gets 5 % (observed 21 of 418), `. */
function describeWeight({ to, candidate: { weight } }: RolloutStatus): string {
  if (weight === null || weight.written === 0) return ''
  const { stable, candidate } = weight.requests
  return `revision ${to} gets ${weight.written} % (observed ${candidate} of ${stable + candidate}), `
}

export function describeRevisions({ record, replicas, traffic }: RolloutFacts): RevisionStatus[] {
  const { stable, rollout, warm, rejected, target } = record
  const roleOf = (number: number): RevisionStatus['role'] => {
    if (number === stable) return 'Stable'
    if (number === rollout?.plan.candidate || number === target) return 'Candidate'
    if (warm.some(({ revision }) => revision === number)) return 'Warm'
    return number === rejected?.revision ? 'Rejected' : 'Earlier'
  }
  return record.revisions.map(({ number, modelDigest, createdAtMs, proven }) => ({
    number,
    role: roleOf(number),
    modelDigest,
    createdAtMs,
    proven,
    replicas: replicas.filter((replica) => replica.record.revision === number).length,
    latency: traffic?.revisions.find(({ revision }) => revision === number)?.latency ?? null,
  }))
}

import { TowlineError } from '../../base/errors.ts'
import type { Counts, MetricJudgement } from '../../decide/judge/judge.ts'
import type { GateDecision } from '../../decide/gate.ts'
import type { PowerQuestion, Stretch } from '../../decide/judge/power.ts'
import { planRollout } from '../../decide/rollout/begin.ts'
import type { PlannedStep, RolloutPlan } from '../../decide/rollout/plan.ts'
import type { Tolerance } from '../../spec/service.ts'
import type { Attestation } from '../../store/attestation.ts'
import { type AdmittedApplication, nextRecord } from '../apply.ts'
import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'
import { type ServiceRecord, countDesired, findRevision } from '../state/records.ts'
import { countsOf, defaultPace } from './evidence.ts'
import { type FieldChange, compareFields } from './plan-report-fields.ts'

/** What an application would do, had it been one. */
export interface PlanStatus {
  readonly name: string
  /** `Rejected`: as it is, it would be refused. */
  readonly change: 'New' | 'Nothing' | 'InPlace' | 'Revision' | 'Rejected'
  /** The revision that serves, and the one that would; null: there is none. */
  readonly revision: { readonly from: number | null; readonly to: number | null }
  readonly model: { readonly from: string | null; readonly to: string }
  readonly fields: readonly FieldChange[]
  readonly replicas: { readonly from: number | null; readonly to: number }
  /** Null where no revision takes the place of another. */
  readonly rollout: PlannedRollout | null
  /** `spec.paused`: it would wait. */
  readonly paused: boolean
  /** A rollout that goes on and would be turned back first: the revision it goes to. */
  readonly supersedes: number | null
  /** The rollout to that very revision goes on already. */
  readonly goesOn: boolean
  /** Null: no proof is asked for. A spec that serves already needs none. */
  readonly gate: GateDecision<Attestation> | null
  /** Why it would be refused. */
  readonly rejection: { readonly message: string; readonly hint: string | null } | null
}

export interface PlannedRollout {
  readonly kind: RolloutPlan['kind']
  readonly surge: RolloutPlan['surge']
  readonly steps: readonly PlannedStep[]
  /** At full weight, at the end of a canary. */
  readonly bakeMs: number
  readonly minRequests: number
  readonly maxTimeMs: number
  /** What the requests of the last minute could show; null: nothing is judged. */
  readonly evidence: PlannedEvidence | null
}

export interface PlannedEvidence {
  /** Of all revisions; 0: nobody asks, and silence never passes. */
  readonly requestsPerMinute: number
  /** With this traffic, waits for persons left out; null: it never ends, for want of requests. */
  readonly leastMs: number | null
  readonly metrics: readonly PlannedMetric[]
}

/** Answered by `describePower`, which takes too long for a process that looks after others. */
export interface PlannedMetric {
  readonly metric: MetricJudgement['metric']
  /** The share of the revision that serves is not known, and taken as 0. */
  readonly isNew: boolean
  readonly question: PowerQuestion
}

export interface PlanFacts {
  readonly application: AdmittedApplication
  /** Undefined: it does not run. */
  readonly record: ServiceRecord | undefined
  readonly traffic: GatewayRouteStatus | undefined
  readonly nowMs: number
  /** What the environments that the spec requires have said; null: no proof is needed. */
  readonly gate: GateDecision<Attestation> | null
}

const minuteMs = 60_000

/** Pure: asks the same functions that an application goes through, and forgets their answers. */
export function reportPlan(facts: PlanFacts): PlanStatus {
  const { application, record } = facts
  const { service, model } = application
  const common = { name: service.name, paused: service.paused, gate: facts.gate, rejection: null }
  // One that is being taken down is waited for, and then it is new.
  if (record === undefined || record.stopping)
    return {
      ...common,
      change: 'New',
      revision: { from: null, to: 1 },
      model: { from: null, to: model.digest },
      fields: [],
      replicas: { from: null, to: service.replicas },
      rollout: null,
      supersedes: null,
      goesOn: false,
    }
  const stable = findRevision(record, record.stable)
  const fields = compareFields(stable.service, record.applied, service)
  const next = foresee(facts, record)
  const to = 'refused' in next ? null : (next.target ?? record.target)
  const changes = to !== null && to !== record.stable
  const replicas = { from: countDesired(record), to: countDesired({ ...record, ...('refused' in next ? {} : next) }) }
  const inPlace = fields.length > 0 || replicas.from !== replicas.to
  return {
    ...common,
    change: to === null ? 'Rejected' : changes ? 'Revision' : inPlace ? 'InPlace' : 'Nothing',
    revision: { from: record.stable, to },
    model: { from: stable.modelDigest, to: model.digest },
    fields,
    replicas,
    rollout: changes ? planChange(facts, record, to) : null,
    supersedes: record.rollout !== null && record.rollout.plan.candidate !== to ? record.rollout.plan.candidate : null,
    goesOn: changes && record.rollout?.plan.candidate === to,
    rejection: 'refused' in next ? { message: next.refused.message, hint: next.refused.hint ?? null } : null,
  }
}

function foresee(
  { application, nowMs }: PlanFacts,
  record: ServiceRecord,
): Partial<ServiceRecord> | { readonly refused: TowlineError } {
  try {
    return nextRecord(record, application, nowMs)
  } catch (error) {
    if (error instanceof TowlineError && error.code === 'TL_ROLLOUT_REJECTED') return { refused: error }
    throw error
  }
}

function planChange(facts: PlanFacts, record: ServiceRecord, candidate: number): PlannedRollout {
  const { stable } = record
  const { rollout } = facts.application.service
  const { proven } = findRevision(record, stable)
  const plan = planRollout({
    id: 'plan',
    reason: 'Apply',
    rollout,
    stable,
    candidate,
    replicas: countDesired(record),
    stableProven: proven,
  })
  const { bakeMs, minRequests, maxTimeMs } = plan.policy
  return {
    kind: plan.kind,
    surge: plan.surge,
    steps: plan.steps,
    bakeMs,
    minRequests,
    maxTimeMs,
    evidence: plan.kind === 'Canary' ? planEvidence(plan, facts, record) : null,
  }
}

function planEvidence(plan: RolloutPlan, { traffic, application }: PlanFacts, record: ServiceRecord): PlannedEvidence {
  const requestsPerMinute = traffic?.latency?.count ?? 0
  const times = plan.steps.map(({ weight, bakeMs }) => timeOf(plan, bakeMs, (requestsPerMinute * weight) / 100))
  const stretches = stretch(plan, times, requestsPerMinute)
  const counts = traffic === undefined ? undefined : countsOf(traffic, record.stable)
  const { errors, latency } = application.service.rollout.analysis
  const isSameLimit = record.applied.rollout.analysis.latency?.slowerThanMs === latency?.slowerThanMs
  const ask = (metric: PlannedMetric['metric'], { ratio, floor }: Tolerance, share: number | null): PlannedMetric => ({
    metric,
    isNew: share === null,
    question: { stretches, stableShare: share ?? 0, tolerance: { ratio, floor } },
  })
  const slow = isSameLimit ? shareOf(counts, 'slow') : null
  const metrics = [
    ask('Errors', errors, shareOf(counts, 'errors')),
    ...(latency === undefined ? [] : [ask('Slow', latency, slow)]),
  ]
  const leastMs = times.reduce<number | null>(
    (sum, time) => (sum === null || time === null ? null : sum + inWindows(time)),
    inWindows(plan.policy.bakeMs),
  )
  return { requestsPerMinute, leastMs, metrics }
}

/** With what is left out after each change of weight; time counts by whole windows. */
function inWindows(timeMs: number): number {
  const { warmUpMs, windowMs } = defaultPace
  return warmUpMs + Math.ceil(timeMs / windowMs) * windowMs
}

/** Until it is baked and has seen enough; null: never. */
function timeOf({ policy }: RolloutPlan, bakeMs: number, perMinute: number): number | null {
  if (policy.minRequests === 0) return bakeMs
  return perMinute === 0 ? null : Math.max(bakeMs, (policy.minRequests / perMinute) * minuteMs)
}

/** The last step goes on until there is proof or the time is spent. */
function stretch({ steps, policy }: RolloutPlan, times: readonly (number | null)[], perMinute: number): Stretch[] {
  let leftMs = policy.maxTimeMs
  return steps.flatMap(({ weight }, index) => {
    const isLast = index === steps.length - 1
    const durationMs = Math.max(0, isLast ? leftMs : Math.min(leftMs, times[index] ?? leftMs))
    leftMs -= durationMs
    const candidatePerMinute = (perMinute * weight) / 100
    return durationMs === 0 ? [] : [{ durationMs, candidatePerMinute, stablePerMinute: perMinute - candidatePerMinute }]
  })
}

function shareOf(counts: Counts | undefined, field: 'errors' | 'slow'): number | null {
  return counts === undefined || counts.requests === 0 ? null : Math.min(1, counts[field] / counts.requests)
}

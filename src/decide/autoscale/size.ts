import { type BurstObservation, type BurstPolicy, type PanicState, stepBurst } from './burst.ts'
import {
  type AutoscalePolicy,
  type AutoscaleState,
  type MetricProposal,
  type ScaleObservation,
  recordRescale,
  stepAutoscaler,
} from './step.ts'

export interface SizeInput {
  readonly policy: AutoscalePolicy
  readonly observation: ScaleObservation
  /** A look of the autoscaler proper is due; the others are of burst mode alone. */
  readonly steps: boolean
  /** Somebody waits, and there is no replica. */
  readonly wakes: boolean
  /** Absent: no burst mode. */
  readonly burst?: { readonly policy: BurstPolicy; readonly load: BurstObservation } | undefined
  /** Kept between looks; null: the service is seen for the first time. */
  readonly before: { readonly state: AutoscaleState; readonly panic: PanicState | null } | null
  readonly nowMs: number
}

export interface SizeDecision {
  readonly replicas: number
  /** Why, in one clause; empty when nothing moves. */
  readonly reason: string
  /** What each metric asked for; null: they were not asked. */
  readonly proposals: readonly MetricProposal[] | null
  readonly state: AutoscaleState
  readonly panic: PanicState | null
}

/** Autoscaler, burst mode and waking from zero together: the largest wish counts. Undefined before the first due look. */
export function decideSize(input: SizeInput): SizeDecision | undefined {
  const { policy, observation, steps, wakes, burst, before, nowMs } = input
  const from = observation.currentReplicas
  const step = steps ? stepAutoscaler(policy, observation, before?.state, nowMs) : undefined
  const state = step?.state ?? before?.state
  if (state === undefined) return undefined
  const { panic, replicas: rush } =
    burst === undefined
      ? { panic: null, replicas: null }
      : stepBurst(burst.policy, burst.load, before?.panic ?? null, nowMs)

  const wanted = step?.desiredReplicas ?? from
  const panicking = panic !== null && rush !== null
  const floor = panicking ? Math.min(policy.maxReplicas, rush) : wakes ? 1 : 0
  const to = Math.max(wanted, floor)
  const reason =
    to === wanted ? (step?.reason ?? '') : panicking ? 'concurrency far above target (burst)' : 'requests are waiting'
  return {
    replicas: to,
    reason,
    proposals: step?.proposals ?? null,
    state: to === from ? state : recordRescale(state, policy, { from, to, nowMs }),
    panic,
  }
}

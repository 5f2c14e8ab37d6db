import { type Behavior, defaultDownStabilizationSeconds } from './behavior.ts'
import { type ScalingCondition, setCondition } from './condition.ts'
import { type ScaleHistory, recordScale, startHistory } from './history.ts'
import { type MetricObservation, failureOf, proposeReplicas } from './metric.ts'
import { type PodObservation, type ReadinessLimits, defaultReadinessLimits } from './pod.ts'
import { defaultTolerance } from './proposal.ts'
import { limitDoubling, limitRate } from './rate-limit.ts'
import { stabilize, stabilizeDown } from './stabilize.ts'

/** A HorizontalPodAutoscaler's spec. */
export interface AutoscalePolicy {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** Absent: the older rules, with a fixed window down and at most doubling up. */
  readonly behavior?: Behavior
  readonly readiness?: ReadinessLimits
  readonly downStabilizationSeconds?: number
}

export interface ScaleObservation {
  /** Wanted now. */
  readonly currentReplicas: number
  /** Existing now, the ones on their way out included. */
  readonly statusReplicas: number
  readonly pods: readonly PodObservation[]
  readonly metrics: readonly MetricObservation[]
}

/** Kept between steps; undefined: the service is seen for the first time. */
export interface AutoscaleState {
  readonly history: ScaleHistory
  readonly conditions: readonly ScalingCondition[]
}

export interface AutoscaleStep {
  /** What to write; equal to `currentReplicas`: nothing is to be done. */
  readonly desiredReplicas: number
  /** Why, in one clause; empty when nothing moves. */
  readonly reason: string
  /** What each metric asked for, in their order; empty when they were not asked. */
  readonly proposals: readonly MetricProposal[]
  readonly state: AutoscaleState
}

export interface MetricProposal {
  readonly metric: string
  /** Null: it was invalid, for this reason. */
  readonly replicas: number | null
  readonly usage: number | null
  readonly failure: string | null
}

const notFirst = 'recent recommendations were'
const messages = {
  ScaleUpStabilized: `${notFirst} lower than current one, applying the lowest recent recommendation`,
  ScaleDownStabilized: `${notFirst} higher than current one, applying the highest recent recommendation`,
  ReadyForNewScale: 'recommended size matches current size',
  DesiredWithinRange: 'the desired count is within the acceptable range',
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
} as const

/**
 * One sync of the autoscaler. The hands write `desiredReplicas` when it differs, then call `recordRescale`; a failed write is
 * `recordFailedRescale`, and the next step decides anew.
 */
export function stepAutoscaler(
  policy: AutoscalePolicy,
  observation: ScaleObservation,
  before: AutoscaleState | undefined,
  nowMs: number,
): AutoscaleStep {
  const { currentReplicas } = observation
  const { minReplicas, maxReplicas } = policy
  const history = before?.history ?? startHistory(currentReplicas, nowMs)
  const conditions = setCondition(before?.conditions ?? [], {
    type: 'AbleToScale',
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
    sinceMs: nowMs,
  })
  const stay = { desiredReplicas: currentReplicas, reason: '', proposals: [] }
  if (currentReplicas === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    const off = { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message, sinceMs: nowMs } as const
    return { ...stay, state: { history, conditions: setCondition(conditions, off) } }
  }
  // Out of bounds: straight to the bound, whatever metrics, windows and rates say.
  const state = { history, conditions }
  if (currentReplicas > maxReplicas)
    return { ...stay, desiredReplicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', state }
  if (currentReplicas < minReplicas)
    return { ...stay, desiredReplicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas', state }
  return followMetrics(policy, observation, state, nowMs)
}

function followMetrics(
  policy: AutoscalePolicy,
  observation: ScaleObservation,
  before: AutoscaleState,
  nowMs: number,
): AutoscaleStep {
  const { currentReplicas } = observation
  const wish = combine(policy, observation, nowMs)
  const { proposals } = wish
  const active = setCondition(before.conditions, { ...wish.condition, sinceMs: nowMs })
  if (wish.replicas === undefined) {
    const state = { history: before.history, conditions: active }
    return { desiredReplicas: currentReplicas, reason: '', proposals, state }
  }
  const { recommendations } = before.history
  const asked = { currentReplicas, desiredReplicas: wish.replicas, recommendations, nowMs }
  const { behavior, downStabilizationSeconds = defaultDownStabilizationSeconds } = policy
  const stable = behavior === undefined ? stabilizeDown(asked, downStabilizationSeconds) : stabilize(asked, behavior)
  const bounds = { ...policy, currentReplicas, desiredReplicas: stable.replicas }
  const limited = behavior === undefined ? limitDoubling(bounds) : limitRate(bounds, behavior, before.history, nowMs)

  const isStabilized = stable.replicas !== wish.replicas
  const goesUp = behavior !== undefined && wish.replicas >= currentReplicas
  const able = isStabilized ? (goesUp ? 'ScaleUpStabilized' : 'ScaleDownStabilized') : 'ReadyForNewScale'
  const conditions = setCondition(
    setCondition(active, {
      type: 'AbleToScale',
      status: 'True',
      reason: able,
      message: messages[able],
      sinceMs: nowMs,
    }),
    {
      type: 'ScalingLimited',
      status: limited.replicas === stable.replicas ? 'False' : 'True',
      reason: limited.reason,
      message: messages[limited.reason],
      sinceMs: nowMs,
    },
  )
  const reason = limited.replicas === currentReplicas ? '' : explainMove(wish, currentReplicas)
  const history = { ...before.history, recommendations: stable.recommendations }
  return { desiredReplicas: limited.replicas, reason, proposals, state: { history, conditions } }
}

function explainMove({ replicas = 0, metric }: Wish, currentReplicas: number): string {
  if (replicas > currentReplicas) return `${metric} above target`
  return replicas < currentReplicas ? 'All metrics below target' : 'recent recommendations were higher'
}

type ActiveCondition = Omit<Extract<ScalingCondition, { type: 'ScalingActive' }>, 'sinceMs'>

interface Wish {
  /** Undefined: nothing may be concluded. */
  readonly replicas: number | undefined
  readonly metric: string
  readonly proposals: readonly MetricProposal[]
  readonly condition: ActiveCondition
}

const nothingMeasured: ActiveCondition = {
  type: 'ScalingActive',
  status: 'False',
  reason: 'FailedGetResourceMetric',
  message: 'the HPA was unable to compute the replica count: it has no metrics',
}

/** The largest wins. While one metric is not known, the others may add replicas but not remove any. */
function combine(policy: AutoscalePolicy, observation: ScaleObservation, nowMs: number): Wish {
  const { behavior, readiness = defaultReadinessLimits } = policy
  const tolerance = {
    up: behavior?.scaleUp.tolerance ?? defaultTolerance.up,
    down: behavior?.scaleDown.tolerance ?? defaultTolerance.down,
  }
  const proposals: MetricProposal[] = []
  let replicas = 0
  let name = ''
  let firstFailure: ActiveCondition | undefined
  let failures = 0
  for (const metric of observation.metrics) {
    const proposal = proposeReplicas(metric, { ...observation, ...readiness, tolerance, nowMs })
    if (proposal.kind === 'Invalid') {
      failures++
      proposals.push({ metric: metric.name, replicas: null, usage: null, failure: proposal.reason })
      const message = `the HPA was unable to compute the replica count: ${metric.name}: ${proposal.reason}`
      firstFailure ??= { type: 'ScalingActive', status: 'False', reason: failureOf(metric), message }
      continue
    }
    proposals.push({ metric: metric.name, replicas: proposal.replicas, usage: proposal.usage, failure: null })
    if (replicas === 0 || proposal.replicas > replicas) {
      replicas = proposal.replicas
      name = metric.name
    }
  }
  const blind = failures === observation.metrics.length
  if (blind || (failures > 0 && replicas < observation.currentReplicas))
    return { replicas: undefined, metric: '', proposals, condition: firstFailure ?? nothingMeasured }
  const message = `the HPA was able to successfully calculate a replica count from ${name}`
  return {
    replicas,
    metric: name,
    proposals,
    condition: { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message },
  }
}

/** The new size is written. */
export function recordRescale(
  { history, conditions }: AutoscaleState,
  { behavior }: AutoscalePolicy,
  { from, to, nowMs }: { from: number; to: number; nowMs: number },
): AutoscaleState {
  const rules = to > from ? behavior?.scaleUp : behavior?.scaleDown
  const message = `the HPA controller was able to update the target scale to ${to}`
  return {
    history: recordScale(history, { rules, from, to, nowMs }),
    conditions: setCondition(conditions, {
      type: 'AbleToScale',
      status: 'True',
      reason: 'SucceededRescale',
      message,
      sinceMs: nowMs,
    }),
  }
}

export function recordFailedRescale(state: AutoscaleState, why: string, nowMs: number): AutoscaleState {
  const message = `the HPA controller was unable to update the target scale: ${why}`
  const failed = {
    type: 'AbleToScale',
    status: 'False',
    reason: 'FailedUpdateScale',
    message,
    sinceMs: nowMs,
  } as const
  return { ...state, conditions: setCondition(state.conditions, failed) }
}

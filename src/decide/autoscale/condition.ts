import type { LimitReason } from './rate-limit.ts'

/** The conditions of a HorizontalPodAutoscaler, types and reasons as there. */
export type ScalingCondition = (
  | {
      readonly type: 'AbleToScale'
      readonly reason:
        | 'SucceededGetScale'
        | 'FailedGetScale'
        | 'ReadyForNewScale'
        | 'ScaleUpStabilized'
        | 'ScaleDownStabilized'
        | 'SucceededRescale'
        | 'FailedUpdateScale'
    }
  | {
      readonly type: 'ScalingActive'
      readonly reason: 'ValidMetricFound' | 'ScalingDisabled' | MetricFailure
    }
  | { readonly type: 'ScalingLimited'; readonly reason: LimitReason }
) & {
  readonly status: 'True' | 'False'
  readonly message: string
  /** When `status` last changed. */
  readonly sinceMs: number
}

export type MetricFailure =
  | 'FailedGetResourceMetric'
  | 'FailedGetContainerResourceMetric'
  | 'FailedGetPodsMetric'
  | 'FailedGetObjectMetric'
  | 'FailedGetExternalMetric'

/** Of each type there is one; a new one keeps its place and, while the status stays, its time. */
export function setCondition(
  conditions: readonly ScalingCondition[],
  condition: ScalingCondition,
): readonly ScalingCondition[] {
  const index = conditions.findIndex(({ type }) => type === condition.type)
  const before = conditions[index]
  if (before === undefined) return [...conditions, condition]
  return conditions.with(
    index,
    before.status === condition.status ? { ...condition, sinceMs: before.sinceMs } : condition,
  )
}

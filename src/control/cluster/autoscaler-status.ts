import type { HorizontalPodAutoscaler, MetricStatus } from 'kubernetes-types/autoscaling/v2.js'
import type { ScaleStatus } from '../../engine/service-status.ts'

type Metric = ScaleStatus['metrics'][number]
type Condition = ScaleStatus['conditions'][number]

/** A HorizontalPodAutoscaler in the words of our own, which has its conditions and reasons from there. */
export function describeAutoscaler({ spec, status }: HorizontalPodAutoscaler): ScaleStatus {
  const conditions = (status?.conditions ?? []).map(
    ({ type, status: state, reason = '', message = '', lastTransitionTime }) =>
      ({
        type,
        reason,
        status: state,
        message,
        sinceMs: lastTransitionTime === undefined ? 0 : Date.parse(lastTransitionTime),
      }) as Condition, // the same words; what a newer version adds is shown as it is
  )
  const telling = conditions.find(({ type, status: state }) => type === 'ScalingActive' && state === 'False')
  return {
    minReplicas: spec?.minReplicas ?? 1,
    maxReplicas: spec?.maxReplicas ?? 1,
    reason: telling?.message ?? conditions.find(({ type }) => type === 'AbleToScale')?.message ?? '',
    changedAtMs: status?.lastScaleTime === undefined ? null : Date.parse(status.lastScaleTime),
    metrics: (spec?.metrics ?? []).map(({ resource }, index) =>
      describeMetric(resource?.name ?? 'unknown', {
        target: resource?.target.averageUtilization ?? null,
        current: status?.currentMetrics?.[index],
        replicas: status?.currentReplicas ?? null,
      }),
    ),
    conditions,
    burst: false,
  }
}

function describeMetric(
  name: string,
  {
    target,
    current,
    replicas,
  }: { readonly target: number | null; readonly current: MetricStatus | undefined; readonly replicas: number | null },
): Metric {
  const usage = current?.resource?.current.averageUtilization ?? null
  const known = usage !== null && target !== null && replicas !== null
  return {
    metric: `${name} ${usage === null ? '' : `at ${usage} % of ${target ?? '?'} %`}`.trim(),
    replicas: known ? Math.ceil((replicas * usage) / target) : null,
    usage,
    failure: known ? null : 'the cluster has no figure for it yet',
  }
}

import type { MetricFailure } from './condition.ts'
import type { PodSamples } from './pod.ts'
import {
  type PerPodInput,
  type Proposal,
  type TotalInput,
  proposeByAverage,
  proposeByTotal,
  proposeByTotalPerReplica,
  proposeByUtilization,
} from './proposal.ts'

/** One metric with its target and what was measured; `name` is what messages call it. Values are thousandths of its unit. */
export type MetricObservation = { readonly name: string } & (
  | {
      readonly kind: 'Utilization'
      readonly resource: 'cpu' | 'memory'
      readonly container?: string
      readonly targetPercent: number
      readonly samples: PodSamples
      readonly requests: ReadonlyMap<string, number>
    }
  | {
      readonly kind: 'Usage'
      readonly resource: 'cpu' | 'memory'
      readonly container?: string
      readonly targetMilli: number
      readonly samples: PodSamples
    }
  | { readonly kind: 'Pods'; readonly targetMilli: number; readonly samples: PodSamples }
  /** No series: no data, which is not zero. */
  | {
      readonly kind: 'Object' | 'External'
      readonly per: 'Service' | 'Replica'
      readonly targetMilli: number
      readonly series: readonly number[]
    }
  /** It could not be read at all. */
  | { readonly kind: 'Unreadable'; readonly failure: MetricFailure; readonly reason: string }
)

export type Surroundings = Omit<PerPodInput & TotalInput, 'samples' | 'isCpu'>

export function proposeReplicas(metric: MetricObservation, around: Surroundings): Proposal {
  switch (metric.kind) {
    case 'Utilization':
      return proposeByUtilization({ ...around, samples: metric.samples, isCpu: metric.resource === 'cpu' }, metric)
    case 'Usage':
      return proposeByAverage(
        { ...around, samples: metric.samples, isCpu: metric.resource === 'cpu' },
        metric.targetMilli,
      )
    case 'Pods':
      return proposeByAverage({ ...around, samples: metric.samples, isCpu: false }, metric.targetMilli)
    case 'Object':
    case 'External':
      return metric.per === 'Replica'
        ? proposeByTotalPerReplica(around, metric.series, metric.targetMilli)
        : proposeByTotal(around, metric.series, metric.targetMilli)
    case 'Unreadable':
      return { kind: 'Invalid', reason: metric.reason }
  }
}

export function failureOf(metric: MetricObservation): MetricFailure {
  switch (metric.kind) {
    case 'Utilization':
    case 'Usage':
      return metric.container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric'
    case 'Pods':
      return 'FailedGetPodsMetric'
    case 'Object':
      return 'FailedGetObjectMetric'
    case 'External':
      return 'FailedGetExternalMetric'
    case 'Unreadable':
      return metric.failure
  }
}

import type { ScalingPolicy, ScalingRules } from '../../spec/service.ts'
import type { Behavior } from './behavior.ts'
import { type ScaleHistory, sumChanges } from './history.ts'

export type LimitReason =
  | 'DesiredWithinRange'
  | 'TooFewReplicas'
  | 'TooManyReplicas'
  | 'ScaleUpLimit'
  | 'ScaleDownLimit'

export interface Limited {
  readonly replicas: number
  readonly reason: LimitReason
}

export interface RateInput {
  readonly currentReplicas: number
  readonly desiredReplicas: number
  readonly minReplicas: number
  readonly maxReplicas: number
}

export function limitRate(input: RateInput, behavior: Behavior, history: ScaleHistory, nowMs: number): Limited {
  const { currentReplicas, desiredReplicas, minReplicas, maxReplicas } = input
  if (desiredReplicas > currentReplicas) {
    const rate = Math.max(currentReplicas, findUpLimit(currentReplicas, behavior.scaleUp, history, nowMs))
    const limit = Math.min(maxReplicas, rate)
    const reason = maxReplicas > rate ? 'ScaleUpLimit' : 'TooManyReplicas'
    if (desiredReplicas > limit) return { replicas: limit, reason }
  } else if (desiredReplicas < currentReplicas) {
    const rate = Math.min(currentReplicas, findDownLimit(currentReplicas, behavior.scaleDown, history, nowMs))
    const limit = Math.max(minReplicas, rate)
    const reason = minReplicas < rate ? 'ScaleDownLimit' : 'TooFewReplicas'
    if (desiredReplicas < limit) return { replicas: limit, reason }
  }
  return { replicas: desiredReplicas, reason: 'DesiredWithinRange' }
}

/** The rule for a service without `behavior`: at once at most the double, or 4. */
export function limitDoubling({ currentReplicas, desiredReplicas, minReplicas, maxReplicas }: RateInput): Limited {
  const rate = Math.max(2 * currentReplicas, 4)
  const limit = Math.min(maxReplicas, rate)
  if (desiredReplicas < minReplicas) return { replicas: minReplicas, reason: 'TooFewReplicas' }
  if (desiredReplicas > limit)
    return { replicas: limit, reason: maxReplicas > rate ? 'ScaleUpLimit' : 'TooManyReplicas' }
  return { replicas: desiredReplicas, reason: 'DesiredWithinRange' }
}

export function findUpLimit(current: number, rules: ScalingRules, history: ScaleHistory, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = rules.policies.map((policy) => {
    const start = findPeriodStart(current, policy, history, nowMs)
    // Rounded up: a percentage of little must not be nothing.
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

export function findDownLimit(current: number, rules: ScalingRules, history: ScaleHistory, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = rules.policies.map((policy) => {
    const start = findPeriodStart(current, policy, history, nowMs)
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100))
  })
  // The smallest change is the largest count that is left.
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

/** How many there were when the policy's period began. */
function findPeriodStart(
  current: number,
  { periodSeconds }: ScalingPolicy,
  { ups, downs }: ScaleHistory,
  nowMs: number,
): number {
  return current - sumChanges(ups, periodSeconds, nowMs) + sumChanges(downs, periodSeconds, nowMs)
}

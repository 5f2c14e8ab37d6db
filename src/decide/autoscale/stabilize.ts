import type { Behavior } from './behavior.ts'
import { type Recommendation, replaceLast } from './history.ts'

export interface Stabilized {
  readonly replicas: number
  readonly recommendations: readonly Recommendation[]
}

interface Wish {
  readonly currentReplicas: number
  readonly desiredReplicas: number
  readonly recommendations: readonly Recommendation[]
  readonly nowMs: number
}

/** No lower than the least wish of the up window asks for, no higher than the greatest of the down window allows. */
export function stabilize(
  { currentReplicas, desiredReplicas, recommendations, nowMs }: Wish,
  { scaleUp, scaleDown }: Behavior,
): Stabilized {
  const upCutoffMs = nowMs - scaleUp.stabilizationWindowSeconds * 1000
  const downCutoffMs = nowMs - scaleDown.stabilizationWindowSeconds * 1000
  let up = desiredReplicas
  let down = desiredReplicas
  for (const { replicas, atMs } of recommendations) {
    if (atMs > upCutoffMs) up = Math.min(up, replicas)
    if (atMs > downCutoffMs) down = Math.max(down, replicas)
  }
  return {
    replicas: Math.min(Math.max(currentReplicas, up), down),
    recommendations: replaceLast(recommendations, ({ atMs }) => atMs < upCutoffMs && atMs < downCutoffMs, {
      replicas: desiredReplicas,
      atMs: nowMs,
    }),
  }
}

/** The rule for a service without `behavior`: only the way down waits. */
export function stabilizeDown({ desiredReplicas, recommendations, nowMs }: Wish, windowSeconds: number): Stabilized {
  const cutoffMs = nowMs - windowSeconds * 1000
  const within = recommendations.filter(({ atMs }) => atMs >= cutoffMs).map(({ replicas }) => replicas)
  return {
    replicas: Math.max(desiredReplicas, ...within),
    recommendations: replaceLast(recommendations, ({ atMs }) => atMs < cutoffMs, {
      replicas: desiredReplicas,
      atMs: nowMs,
    }),
  }
}

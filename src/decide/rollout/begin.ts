import type { Rollout } from '../../spec/service.ts'
import type { RolloutPlan, Surge } from './plan.ts'

export interface RolloutWish {
  readonly id: string
  /** `Apply`: as the spec says. `Restart`: the same again, so nothing is judged. `Rollback`: to what has served before. */
  readonly reason: 'Apply' | 'Restart' | 'Rollback'
  readonly rollout: Rollout
  readonly stable: number
  readonly candidate: number
  /** Replicas now. */
  readonly replicas: number
  /** The stable revision has served. */
  readonly stableProven: boolean
}

/** A canary needs something to be compared with; where nothing has ever served, the candidate simply starts. */
export function planRollout(wish: RolloutWish): RolloutPlan {
  const { id, reason, rollout, stable, candidate, replicas, stableProven } = wish
  const { steps, bakeMs, analysis, onFailure, onInconclusive } = rollout
  const surge: Surge = rollout.surge === 'Auto' ? 'Surge' : rollout.surge
  const isCanary = reason === 'Apply' && stableProven && steps.length > 0
  const isSwitch = reason === 'Rollback' && surge === 'Surge'
  return {
    id,
    kind: isCanary ? 'Canary' : isSwitch ? 'Switch' : 'Rolling',
    stable,
    candidate,
    surge: stableProven ? surge : 'Surge',
    steps: isCanary ? steps : [],
    policy: {
      bakeMs,
      minRequests: analysis.minRequests,
      maxTimeMs: analysis.maxTimeMs,
      judge: { errors: analysis.errors, slow: analysis.latency ?? null },
      onFailure,
      onInconclusive,
    },
    turnsBack: stableProven,
    leastReplicas: replicas,
  }
}

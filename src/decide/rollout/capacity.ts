import type { RolloutObservation } from './observation.ts'
import type { RolloutPlan } from './plan.ts'
import type { RolloutState } from './state.ts'

/** Replicas that each of the two revisions should have. All others should have none. */
export interface Capacity {
  readonly stable: number
  readonly candidate: number
}

/**
 * Pure in what is seen: asked again after a restart, it gives the same sizes. A canary's stable revision keeps its full size
 * until the candidate has taken its place, except where the spec says that there is no room beside it (`Swap`).
 */
export function planCapacity(plan: RolloutPlan, state: RolloutState, observation: RolloutObservation): Capacity {
  const { position } = state
  const { stable, candidate } = observation
  const full = fullSize(plan, observation)
  switch (position.phase) {
    case 'Preparing':
      return divide(plan, observation, Math.min(1, stepSize(plan, 0, full)))
    case 'Rolling':
      return rollingCapacity(plan, observation, position.moved)
    case 'Scaling':
    case 'Shifting':
    case 'Baking':
      return divide(plan, observation, stepSize(plan, position.step, full))
    case 'Promoting':
      return { stable: full, candidate: Math.max(1, full) }
    case 'Aborting': {
      const keeps = plan.surge === 'Surge' ? full : stable.staying
      if (position.stage === 'Shifting') return { stable: keeps, candidate: candidate.staying }
      if (position.stage === 'Draining') return { stable: keeps, candidate: 0 }
      if (plan.surge !== 'Surge') return { stable: full, candidate: 0 }
      if (plan.kind !== 'Rolling') return { stable: full, candidate: candidate.staying }
      return {
        stable: candidate.serving === 0 ? full : Math.min(full, stable.serving + 1),
        candidate: Math.min(candidate.staying, Math.max(0, full - stable.serving)),
      }
    }
    case 'Done':
      return position.outcome === 'Promoted' ? { stable: 0, candidate: full } : { stable: full, candidate: 0 }
  }
}

/** What the service has when no rollout moves it. A canary is never measured against less than there was at its start. */
export function fullSize(plan: RolloutPlan, { replicas }: Pick<RolloutObservation, 'replicas'>): number {
  return plan.kind === 'Canary' || plan.surge === 'Swap' ? Math.max(1, replicas, plan.leastReplicas) : replicas
}

/** Candidates that carry the weight of a step as lightly as the stable replicas carry theirs; never more than the stable has. */
export function stepSize({ steps, surge }: RolloutPlan, step: number, full: number): number {
  const weight = steps[step]?.weight ?? 100
  if (surge === 'Swap') return Math.min(Math.max(1, Math.ceil((full * weight) / 100)), Math.max(1, full - 1))
  if (weight === 100) return full
  return Math.min(full, Math.max(1, Math.ceil((full * weight) / (100 - weight))))
}

/** With `Swap` a stable replica is gone before a candidate starts in its place, and the next one stays until that one is ready. */
function divide(plan: RolloutPlan, observation: RolloutObservation, candidates: number): Capacity {
  const full = fullSize(plan, observation)
  if (plan.surge === 'Surge') return { stable: full, candidate: candidates }
  const { stable, candidate } = observation
  const room = full - stable.total - (candidate.total - candidate.staying)
  return {
    stable: Math.max(full - candidates, Math.min(stable.staying, full - 1 - candidate.ready)),
    candidate: Math.min(candidates, Math.max(candidate.staying, room)),
  }
}

function rollingCapacity(plan: RolloutPlan, observation: RolloutObservation, moved: number): Capacity {
  const full = fullSize(plan, observation)
  const { stable, candidate } = observation
  // A service at zero: one has to prove that the revision can serve.
  if (full === 0) return { stable: 0, candidate: 1 }
  const next = Math.min(full, moved + 1)
  switch (plan.surge) {
    case 'Surge': {
      // A candidate that was moved to may be gone again by the time the service shrinks.
      const needed = Math.min(stable.staying, full - candidate.serving)
      // Nothing serves: nobody waits for one after the other.
      return { stable: Math.max(0, full - moved, needed), candidate: stable.serving === 0 ? full : next }
    }
    case 'Swap':
      return divide(plan, observation, next)
    case 'Recreate':
      return { stable: 0, candidate: stable.total === 0 ? full : candidate.staying }
  }
}

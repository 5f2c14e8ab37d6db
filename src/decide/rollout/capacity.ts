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
      if (position.stage === 'Restoring') return restoringCapacity(plan, observation)
      const keeps = plan.surge === 'Surge' ? full : stable.staying
      return { stable: keeps, candidate: position.stage === 'Draining' ? 0 : candidate.staying }
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

/**
 * With `Swap` a stable replica is gone before a candidate starts in its place, and the next one stays until that one is ready:
 * one place is empty at most, and none is taken twice.
 */
function divide(plan: RolloutPlan, observation: RolloutObservation, candidates: number): Capacity {
  const full = fullSize(plan, observation)
  if (plan.surge === 'Surge') return { stable: full, candidate: candidates }
  const { stable, candidate } = observation
  const goal = Math.min(candidates, Math.max(candidate.staying, candidate.ready + 1))
  const free = freePlaces(full, observation)
  const least = Math.min(stable.staying, full - 1 - candidate.ready)
  const stableSize = Math.max(least, Math.min(full - goal, stable.staying + free))
  const taken = Math.max(0, stableSize - stable.staying)
  return { stable: stableSize, candidate: Math.min(goal, candidate.staying + Math.max(0, free - taken)) }
}

function freePlaces(full: number, { stable, candidate }: RolloutObservation): number {
  return Math.max(0, full - stable.total - candidate.total)
}

/** The way back, as gently as the way there. */
function restoringCapacity(plan: RolloutPlan, observation: RolloutObservation): Capacity {
  const { stable, candidate } = observation
  const full = fullSize(plan, observation)
  switch (plan.surge) {
    case 'Surge': {
      if (plan.kind !== 'Rolling') return { stable: full, candidate: candidate.staying }
      const next = Math.max(stable.staying, stable.serving + 1)
      return {
        // No candidate can serve: nobody waits for one after the other.
        stable: candidate.ready === 0 ? full : Math.min(full, next),
        candidate: Math.min(candidate.staying, Math.max(0, full - stable.serving)),
      }
    }
    case 'Swap':
      return {
        stable: Math.min(full, stable.staying + freePlaces(full, observation)),
        candidate: Math.min(candidate.staying, Math.max(0, full - 1 - stable.serving)),
      }
    case 'Recreate':
      return { stable: full, candidate: 0 }
  }
}

function rollingCapacity(plan: RolloutPlan, observation: RolloutObservation, moved: number): Capacity {
  const full = fullSize(plan, observation)
  const { stable, candidate } = observation
  // A service at zero: one has to prove that the revision can serve.
  const candidates = Math.max(1, full)
  switch (plan.surge) {
    case 'Surge': {
      // A candidate that was moved to may be gone again by the time the service shrinks.
      const needed = Math.min(stable.staying, full - candidate.serving)
      // Nothing can serve: nobody waits for one after the other.
      const next = stable.ready === 0 ? candidates : Math.min(candidates, moved + 1)
      return { stable: Math.max(0, full - moved, needed), candidate: next }
    }
    case 'Swap':
      return divide(plan, observation, candidates)
    case 'Recreate':
      return { stable: 0, candidate: stable.total === 0 ? candidates : candidate.staying }
  }
}

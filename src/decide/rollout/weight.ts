import type { RolloutObservation, RouteObservation } from './observation.ts'
import type { RolloutPlan } from './plan.ts'
import type { RolloutState } from './state.ts'

/**
 * Percent of the requests that the candidate should get now, the stable revision getting the rest; null: all replicas of both
 * are alike. Never above 0 for a candidate that nobody can reach.
 */
export function planWeight(
  plan: RolloutPlan,
  state: RolloutState,
  { stable, candidate }: Pick<RolloutObservation, 'stable' | 'candidate'>,
): number | null {
  const weight = orderedWeight(plan, state)
  if (weight === null) return null
  if (candidate.ready === 0) return 0
  // Where candidates make room for stable replicas, fewer and fewer are left to carry it.
  if (plan.surge === 'Swap' && state.position.phase === 'Aborting')
    return Math.min(weight, Math.floor((100 * candidate.ready) / (stable.ready + candidate.ready)))
  return weight
}

/** As the plan says, whether or not the candidate can take it. */
export function orderedWeight(plan: RolloutPlan, { position, pause }: RolloutState): number | null {
  if (pause?.reason === 'Failed' && position.phase !== 'Rolling' && position.phase !== 'Aborting') return 0
  switch (position.phase) {
    case 'Preparing':
      return 0
    case 'Rolling':
      return null
    case 'Scaling':
      return stepWeight(plan, position.step - 1)
    case 'Shifting':
    case 'Baking':
      return stepWeight(plan, position.step)
    case 'Promoting':
      return position.stage === 'Scaling' ? stepWeight(plan, plan.steps.length - 1) : 100
    case 'Aborting':
      return position.stage === 'Restoring' ? position.weight : 0
    case 'Done':
      return position.outcome === 'Promoted' ? 100 : 0
  }
}

/**
 * The requests show the weight: the candidate has had some, and as many as its share of all within three standard deviations.
 * Two are always forgiven: those under way while the weight was written.
 */
export function isObserved(weight: number, { requests }: RouteObservation): boolean {
  const expected = ((requests.stable + requests.candidate) * weight) / 100
  return requests.candidate >= 1 && Math.abs(requests.candidate - expected) <= Math.max(2, 3 * Math.sqrt(expected))
}

function stepWeight({ steps }: RolloutPlan, step: number): number {
  return steps[step]?.weight ?? 0
}

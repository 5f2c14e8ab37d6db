import { emptyJudge } from '../../src/decide/judge/judge.ts'
import type { RevisionObservation, RolloutObservation } from '../../src/decide/rollout/observation.ts'
import type { RolloutPlan } from '../../src/decide/rollout/plan.ts'
import type { Position, RolloutState } from '../../src/decide/rollout/state.ts'

/** Revision 1 gives way to revision 2, of four replicas: 10 %, then 50 %. */
export const canary: RolloutPlan = {
  id: 'plan-a',
  kind: 'Canary',
  stable: 1,
  candidate: 2,
  surge: 'Surge',
  steps: [
    { weight: 10, bakeMs: 20_000, manual: false },
    { weight: 50, bakeMs: 20_000, manual: false },
  ],
  policy: {
    bakeMs: 30_000,
    minRequests: 100,
    maxTimeMs: 600_000,
    judge: { errors: { ratio: 1.25, floor: 0.1 }, slow: null },
    onFailure: 'Rollback',
    onInconclusive: 'Pause',
  },
  turnsBack: true,
  leastReplicas: 4,
}

export const rolling: RolloutPlan = { ...canary, kind: 'Rolling', steps: [] }

export function stateAt(position: Position, change: Partial<RolloutState> = {}): RolloutState {
  return { position, pause: null, judge: emptyJudge, analysedMs: 0, downSinceMs: null, ...change }
}

/** So many replicas, all of which serve unless `change` says otherwise. */
export function revision(count: number, change: Partial<RevisionObservation> = {}): RevisionObservation {
  return { total: count, staying: count, ready: count, serving: count, restarts: 0, failure: null, ...change }
}

export function look(change: Partial<RolloutObservation> = {}): RolloutObservation {
  return { nowMs: 1000, replicas: 4, stable: revision(4), candidate: revision(1), route: null, window: null, ...change }
}

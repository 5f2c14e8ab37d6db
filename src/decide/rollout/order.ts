import { emptyJudge } from '../judge/judge.ts'
import type { RolloutPlan } from './plan.ts'
import type { Cause, Position, RolloutState } from './state.ts'
import { abortRollout, goOn, toFullWeight } from './step.ts'

/** What a person tells a rollout. Each is about one plan; said twice it does nothing the second time. */
export type RolloutOrder =
  /** Past the step it was given for, whatever the analysis says; `full`: past all of them. */
  | { readonly verb: 'Promote'; readonly step: number | null; readonly full: boolean }
  | { readonly verb: 'Pause' }
  | { readonly verb: 'Resume' }
  | { readonly verb: 'Abort' }

export type OrderResult =
  | { readonly kind: 'Taken'; readonly state: RolloutState }
  /** It is so already. */
  | { readonly kind: 'Nothing'; readonly why: string }
  | { readonly kind: 'Refused'; readonly why: string; readonly hint: string }

export function takeOrder(plan: RolloutPlan, state: RolloutState, order: RolloutOrder, nowMs: number): OrderResult {
  const { position } = state
  if (position.phase === 'Done' || position.phase === 'Aborting') {
    const why = position.phase === 'Done' ? 'the rollout is over' : 'the rollout is being aborted'
    if (order.verb === 'Abort') return { kind: 'Nothing', why }
    return { kind: 'Refused', why, hint: 'see `towline history NAME`' }
  }
  switch (order.verb) {
    case 'Promote':
      return takePromotion(plan, state, order, nowMs)
    case 'Pause': {
      if (state.pause !== null) return { kind: 'Nothing', why: `it is paused already: ${state.pause.message}` }
      const pause = { reason: 'ByHand', message: 'somebody paused it', sinceMs: nowMs } as const
      return { kind: 'Taken', state: { ...state, pause } }
    }
    case 'Resume':
      return takeResumption(plan, state, nowMs)
    case 'Abort': {
      const message = 'somebody aborted it'
      const cause: Cause = { reason: 'ByHand', message, hint: '`towline retry NAME` begins it again' }
      return { kind: 'Taken', state: abortRollout(plan, state, cause, nowMs) }
    }
  }
}

function takePromotion(
  plan: RolloutPlan,
  state: RolloutState,
  { step, full }: Extract<RolloutOrder, { verb: 'Promote' }>,
  nowMs: number,
): OrderResult {
  const { position, pause } = state
  const isFailed = pause?.reason === 'Failed'
  if (position.phase === 'Rolling' && isFailed)
    return {
      kind: 'Refused',
      why: pause.message,
      hint: '`towline resume NAME` tries it again, `towline abort NAME` turns back',
    }
  if (position.phase === 'Rolling' || (position.phase === 'Promoting' && !isFailed)) {
    if (pause?.reason === 'ByHand')
      return { kind: 'Refused', why: 'somebody paused it', hint: '`towline resume NAME` lets it go on' }
    return { kind: 'Nothing', why: 'it is on its way to full weight' }
  }
  const at = 'step' in position ? position.step : position.phase === 'Promoting' ? plan.steps.length : -1
  if (step !== null && step < at) return { kind: 'Nothing', why: `it is past step ${step + 1} already` }
  if (full) {
    // What the judge has said is overridden; what it sees from now on counts.
    const overridden = isFailed ? { ...state, judge: emptyJudge, analysedMs: 0 } : state
    return { kind: 'Taken', state: toFullWeight(plan, { ...overridden, downSinceMs: null }, nowMs) }
  }
  if (isFailed)
    return {
      kind: 'Refused',
      why: `the analysis failed: ${pause.message}`,
      hint: '`towline resume NAME` judges it again, `towline promote NAME --full` overrides the judge, `towline abort NAME` turns back',
    }
  if (position.phase !== 'Baking' && !(position.phase === 'Shifting' && pause !== null))
    return {
      kind: 'Refused',
      why: 'this step has no weight yet, so there is nothing to go past',
      hint: 'try again in a moment',
    }
  return { kind: 'Taken', state: goOn(plan, state, nowMs) }
}

function takeResumption(plan: RolloutPlan, state: RolloutState, nowMs: number): OrderResult {
  const { pause, position } = state
  switch (pause?.reason) {
    case undefined:
      return { kind: 'Nothing', why: 'it is not paused' }
    case 'Manual':
      return { kind: 'Refused', why: pause.message, hint: '`towline promote NAME` goes on to the next step' }
    case 'Inconclusive':
      return { kind: 'Taken', state: { ...state, pause: null, analysedMs: 0 } }
    case 'Failed': {
      if (pause.cause === 'NeverReady' || pause.cause === 'SmokeFailed')
        return {
          kind: 'Refused',
          why: `its replicas would only fail again: ${pause.message}`,
          hint: '`towline abort NAME` turns back; then `towline retry NAME` tries the same with new replicas',
        }
      const again = judgedAgainFrom(plan, position, nowMs)
      return { kind: 'Taken', state: { ...state, pause: null, judge: emptyJudge, analysedMs: 0, position: again } }
    }
    case 'ByHand':
    case 'NoTraffic': {
      const again = position.phase === 'Shifting' ? { ...position, sinceMs: nowMs } : position
      const silent = again.phase === 'Baking' ? { ...again, silentMs: 0 } : again
      return { kind: 'Taken', state: { ...state, pause: null, position: silent } }
    }
  }
}

/** The evidence is gone with the failure, so that full weight has to be earned once more. */
function judgedAgainFrom(plan: RolloutPlan, position: Position, nowMs: number): Position {
  if ('step' in position) return { phase: 'Scaling', step: position.step }
  if (position.phase !== 'Promoting') return position
  return plan.kind === 'Canary'
    ? { phase: 'Scaling', step: plan.steps.length - 1 }
    : { phase: 'Promoting', stage: 'Scaling', sinceMs: nowMs, bakedMs: 0 }
}

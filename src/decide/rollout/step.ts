import { type Judgement, emptyJudge, foldEvidence, judge } from '../judge/judge.ts'
import { fullSize, stepSize } from './capacity.ts'
import { describeFailure, hardReasons } from './cause.ts'
import type { RolloutObservation } from './observation.ts'
import type { RolloutPlan } from './plan.ts'
import type { Cause, Pause, Position, RolloutState } from './state.ts'
import { isObserved, orderedWeight, planWeight } from './weight.ts'

/** A written weight that nobody has seen for this long: no traffic, or a route that does not do what it was told. */
const shiftLimitMs = 60_000
/** Silence at a weight that was seen. */
const silenceLimitMs = 60_000
/** A candidate with weight may be restarted; longer is no restart. */
const downLimitMs = 20_000
/** One end may be chance, and a short one costs few answers: nothing else would ever add them up. */
const crashLimit = 3
/** What an abort waits for the next stable replica where it does not come. */
const restoreLimitMs = 120_000

export function startRollout(plan: RolloutPlan, nowMs: number): RolloutState {
  const position: Position =
    plan.kind === 'Canary'
      ? { phase: 'Preparing' }
      : plan.kind === 'Rolling'
        ? { phase: 'Rolling', moved: 0 }
        : { phase: 'Promoting', stage: 'Scaling', sinceMs: nowMs, bakedMs: 0 }
  return { position, pause: null, judge: emptyJudge, analysedMs: 0, downSinceMs: null }
}

/**
 * One look: at most one step further. The same object when nothing changed, so that nothing is written without a change.
 * Whoever calls it writes the result down before acting on it, and acts on `planCapacity` and `planWeight` alone.
 */
export function stepRollout(plan: RolloutPlan, before: RolloutState, observation: RolloutObservation): RolloutState {
  const { position } = before
  if (position.phase === 'Done') return before
  if (position.phase === 'Aborting') return stepAbort(plan, { ...before, position }, observation) ?? before
  const state = watchAvailability(plan, takeEvidence(plan, before, observation), observation)
  if (state.pause?.reason !== 'Failed') {
    const cause = findCause(plan, state, observation)
    const { nowMs, candidate } = observation
    if (cause !== undefined) return fail(plan, { ...state, forgivenRestarts: candidate.restarts }, cause, nowMs)
  }
  return state.pause === null ? advance(plan, state, observation) : endSilence(state, state.pause, observation)
}

/** Turns back, or holds for a person to look at it, as the plan says. */
function fail(plan: RolloutPlan, state: RolloutState, cause: Cause, nowMs: number): RolloutState {
  const pauses = cause.reason === 'Inconclusive' ? plan.policy.onInconclusive : plan.policy.onFailure
  if (pauses === 'Rollback') return abortRollout(plan, state, cause, nowMs)
  const reason = cause.reason === 'Inconclusive' ? 'Inconclusive' : 'Failed'
  return { ...state, downSinceMs: null, pause: { reason, message: cause.message, sinceMs: nowMs, cause: cause.reason } }
}

/** Stable capacity first, then the weight; at once where the candidate serves nobody, or stands where the stable one has to. */
export function abortRollout(plan: RolloutPlan, state: RolloutState, cause: Cause, nowMs: number): RolloutState {
  const { position } = state
  if (position.phase === 'Aborting' || position.phase === 'Done') return state
  const atOnce = plan.surge === 'Recreate' || hardReasons.has(cause.reason)
  const stage = atOnce ? 'Shifting' : 'Restoring'
  const weight = orderedWeight(plan, state)
  return { ...state, pause: null, position: { phase: 'Aborting', cause, stage, weight, sinceMs: nowMs, restored: 0 } }
}

function stepAbort(
  plan: RolloutPlan,
  state: RolloutState & { readonly position: Extract<Position, { phase: 'Aborting' }> },
  observation: RolloutObservation,
): RolloutState | undefined {
  const { position } = state
  const { stable, candidate, route, nowMs } = observation
  const go = (stage: typeof position.stage): RolloutState => ({
    ...state,
    position: { ...position, stage, sinceMs: nowMs, restored: 0 },
  })
  const done = (): RolloutState => ({
    ...state,
    position: { phase: 'Done', outcome: 'Aborted', cause: position.cause },
  })
  switch (position.stage) {
    case 'Restoring': {
      const back = position.weight === null ? stable.serving : stable.ready
      // A revision that has never served, and does not now, is not waited for.
      const isLost = nowMs - position.sinceMs >= restoreLimitMs || (!plan.turnsBack && stable.ready === 0)
      if (back >= fullSize(plan, observation) || isLost)
        return plan.surge !== 'Surge' && candidate.total === 0 ? done() : go('Shifting')
      if (back <= position.restored) return undefined
      return { ...state, position: { ...position, restored: back, sinceMs: nowMs } }
    }
    case 'Shifting':
      return route?.weight === 0 ? go('Draining') : undefined
    case 'Draining':
      if (candidate.total > 0) return undefined
      return plan.surge === 'Surge' ? done() : go('Restoring')
  }
}

function takeEvidence(plan: RolloutPlan, state: RolloutState, { window }: RolloutObservation): RolloutState {
  const { position } = state
  const watches = position.phase === 'Baking' || (position.phase === 'Promoting' && plan.kind === 'Canary')
  if (window === null || !watches || state.pause?.reason === 'Failed') return state
  const { requests } = window.candidate
  const { durationMs } = window
  const held = state.pause !== null
  const evidence = {
    ...state,
    judge: foldEvidence(state.judge, window, plan.policy.judge),
    analysedMs: state.analysedMs + (held ? 0 : durationMs),
  }
  // While the candidate is down the stable revision has its weight.
  const carriedMs = state.downSinceMs === null ? durationMs : 0
  if (position.phase === 'Promoting')
    return { ...evidence, position: { ...position, bakedMs: position.bakedMs + carriedMs } }
  return {
    ...evidence,
    position: {
      ...position,
      bakedMs: position.bakedMs + (held || requests === 0 ? 0 : durationMs),
      requests: position.requests + requests,
      silentMs: requests === 0 ? position.silentMs + durationMs : 0,
    },
  }
}

/** A candidate that is gone while it has weight; its weight is taken away meanwhile, and given again when it is back. */
function watchAvailability(plan: RolloutPlan, state: RolloutState, observation: RolloutObservation): RolloutState {
  const { downSinceMs } = state
  const { candidate, nowMs } = observation
  const down = (orderedWeight(plan, state) ?? 0) > 0 && candidate.ready === 0
  if (down) return downSinceMs === null ? { ...state, downSinceMs: nowMs } : state
  // What it cost is evidence like any other: the window goes on.
  return downSinceMs === null ? state : { ...state, downSinceMs: null }
}

function findCause(
  plan: RolloutPlan,
  { position, judge: seen, downSinceMs, forgivenRestarts = 0 }: RolloutState,
  { candidate, nowMs }: RolloutObservation,
): Cause | undefined {
  if (candidate.failure !== null) return plan.turnsBack ? candidate.failure : undefined
  if (downSinceMs !== null && nowMs - downSinceMs >= downLimitMs)
    return {
      reason: 'Unavailable',
      message: `no replica of revision ${plan.candidate} has been ready for ${downLimitMs / 1000} s while it had weight`,
      hint: 'its logs say why it ended: `towline logs`',
    }
  if (candidate.restarts - forgivenRestarts >= crashLimit && plan.turnsBack && plan.kind !== 'Switch')
    return {
      reason: 'Crashed',
      message: `processes of revision ${plan.candidate} ended by themselves ${candidate.restarts} times since the rollout began`,
      hint: '`towline events NAME` and `towline logs` say why they ended',
    }
  if (position.phase !== 'Baking' && position.phase !== 'Promoting') return undefined
  return describeFailure(plan, judge(seen, plan.policy.judge))
}

function advance(plan: RolloutPlan, state: RolloutState, observation: RolloutObservation): RolloutState {
  const { position } = state
  const { candidate, nowMs } = observation
  const full = fullSize(plan, observation)
  switch (position.phase) {
    case 'Preparing':
      return candidate.ready >= 1 ? { ...state, position: { phase: 'Scaling', step: 0 } } : state
    case 'Rolling':
      return roll(plan, state, position.moved, observation)
    case 'Scaling':
      if (candidate.ready < stepSize(plan, position.step, full)) return state
      return { ...state, position: { phase: 'Shifting', step: position.step, sinceMs: nowMs } }
    case 'Shifting':
      return shift(plan, { ...state, position }, observation) ?? state
    case 'Baking':
      return bake(plan, { ...state, position }, nowMs) ?? state
    case 'Promoting':
      return promote(plan, { ...state, position }, observation) ?? state
    case 'Aborting':
    case 'Done':
      return state
  }
}

function roll(plan: RolloutPlan, state: RolloutState, moved: number, observation: RolloutObservation): RolloutState {
  const { stable, candidate } = observation
  const full = fullSize(plan, observation)
  const proven = candidate.serving >= Math.max(1, full) && (stable.serving === 0 || moved >= full)
  if (proven) return { ...state, position: { phase: 'Done', outcome: 'Promoted', cause: null } }
  if (moved >= full || candidate.serving <= moved) return state
  return { ...state, position: { phase: 'Rolling', moved: moved + 1 } }
}

type At<P extends Position['phase']> = RolloutState & { readonly position: Extract<Position, { phase: P }> }

function shift(plan: RolloutPlan, state: At<'Shifting'>, observation: RolloutObservation): RolloutState | undefined {
  const { step, sinceMs } = state.position
  const { route, nowMs } = observation
  const weight = planWeight(plan, state, observation)
  const isWritten = route !== null && weight !== null && weight > 0 && route.weight === weight
  const manual = plan.steps[step]?.manual === true
  if (isWritten && isObserved(weight, route)) {
    const next = { ...state, position: { phase: 'Baking', step, bakedMs: 0, requests: 0, silentMs: 0 } as const }
    if (!manual) return next
    return { ...next, pause: { reason: 'Manual', message: `step ${step + 1} waits for a person`, sinceMs: nowMs } }
  }
  if (!isWritten || nowMs - sinceMs < shiftLimitMs) return undefined
  const total = route.requests.stable + route.requests.candidate
  if ((total * weight) / 100 < 1)
    return hold(state, 'NoTraffic', `${total} requests came within ${shiftLimitMs / 1000} s`, nowMs)
  const message = `${route.requests.candidate} of ${total} requests reached revision ${plan.candidate}, where ${weight} % should`
  return fail(
    plan,
    state,
    { reason: 'WeightNotObserved', message, hint: 'see `towline events NAME`: its replicas may not be reachable' },
    nowMs,
  )
}

function bake(plan: RolloutPlan, state: At<'Baking'>, nowMs: number): RolloutState | undefined {
  const { step, bakedMs, requests, silentMs } = state.position
  const { policy, steps } = plan
  if (silentMs >= silenceLimitMs)
    return hold(
      state,
      'NoTraffic',
      `no request came for revision ${plan.candidate} in ${silenceLimitMs / 1000} s`,
      nowMs,
    )
  const isBaked = bakedMs >= (steps[step]?.bakeMs ?? policy.bakeMs) && requests >= policy.minRequests
  const judgement = judge(state.judge, policy.judge)
  const isLast = step === steps.length - 1
  if (isBaked && (isLast ? judgement.verdict === 'Pass' : looksFine(judgement))) return goOn(plan, state, nowMs)
  if (state.analysedMs < policy.maxTimeMs) return undefined
  const missing =
    requests < policy.minRequests
      ? `step ${step + 1} has seen ${requests} of the ${policy.minRequests} requests it needs`
      : 'the evidence proves it neither good nor bad'
  const message = `after ${Math.round(state.analysedMs / 60_000)} min of analysis ${missing}`
  return fail(
    plan,
    state,
    {
      reason: 'Inconclusive',
      message,
      hint: 'longer analysis.maxTime, a larger weight or a higher floor give an answer; `towline promote NAME` takes the decision by hand',
    },
    nowMs,
  )
}

/** No proof, and nothing that speaks against it either: what looks worse than tolerated does not get more weight meanwhile. */
export function looksFine({ metrics }: Judgement): boolean {
  return metrics.every(({ candidate, bound }) => candidate.share === null || candidate.share <= bound)
}

/** To the next step, or to full weight after the last one. */
export function goOn(plan: RolloutPlan, state: RolloutState, nowMs: number): RolloutState {
  const { position } = state
  const step = 'step' in position ? position.step + 1 : 0
  if (step < plan.steps.length) return { ...state, pause: null, position: { phase: 'Scaling', step } }
  return toFullWeight(plan, state, nowMs)
}

/** Where there is no room for both at full size the rest is replaced one by one. */
export function toFullWeight(plan: RolloutPlan, state: RolloutState, nowMs: number): RolloutState {
  const position: Position =
    plan.surge === 'Surge'
      ? { phase: 'Promoting', stage: 'Scaling', sinceMs: nowMs, bakedMs: 0 }
      : { phase: 'Rolling', moved: 0 }
  return { ...state, pause: null, position }
}

function promote(plan: RolloutPlan, state: At<'Promoting'>, observation: RolloutObservation): RolloutState | undefined {
  const { position } = state
  const { candidate, route, nowMs } = observation
  const go = (stage: typeof position.stage): RolloutState => ({
    ...state,
    position: { phase: 'Promoting', stage, sinceMs: nowMs, bakedMs: 0 },
  })
  const isFull = candidate.ready >= Math.max(1, fullSize(plan, observation))
  switch (position.stage) {
    case 'Scaling':
      return isFull ? go('Shifting') : undefined
    case 'Shifting':
      if (route?.weight === 100) return go('Baking')
      // More are wanted than when the weight was decided, and nobody has taken it yet.
      return isFull ? undefined : go('Scaling')
    case 'Baking': {
      const bakeMs = plan.kind === 'Switch' ? 0 : plan.policy.bakeMs
      if (position.bakedMs < bakeMs || candidate.ready < fullSize(plan, observation)) return undefined
      return { ...state, position: { phase: 'Done', outcome: 'Promoted', cause: null } }
    }
  }
}

function hold(state: RolloutState, reason: Pause['reason'], message: string, nowMs: number): RolloutState {
  return { ...state, pause: { reason, message, sinceMs: nowMs } }
}

/** Silence ends by itself; all other pauses end by a person. */
function endSilence(state: RolloutState, pause: Pause, { window, route, nowMs }: RolloutObservation): RolloutState {
  if (pause.reason !== 'NoTraffic') return state
  const { position } = state
  const came =
    position.phase === 'Shifting' ? (route?.requests.candidate ?? 0) > 0 : (window?.candidate.requests ?? 0) > 0
  if (!came) return state
  const again: Position = position.phase === 'Shifting' ? { ...position, sinceMs: nowMs } : position
  return { ...state, pause: null, position: again }
}

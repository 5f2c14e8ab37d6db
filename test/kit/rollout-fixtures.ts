import {
  type EvidenceWindow,
  type JudgeState,
  emptyJudge,
  evidenceWindowMs,
  foldEvidence,
} from '../../src/decide/judge/judge.ts'
import type { RevisionObservation, RolloutObservation } from '../../src/decide/rollout/observation.ts'
import type { RolloutPlan } from '../../src/decide/rollout/plan.ts'
import type { Cause, Pause, Position, RolloutState } from '../../src/decide/rollout/state.ts'
import type { RevisionRecord, RolloutRecord, ServiceRecord } from '../../src/engine/state/records.ts'
import { resolveRollout } from '../../src/spec/resolve/resolve-rollout.ts'
import type { Service } from '../../src/spec/service.ts'
import { sampleRecord, sampleRevision, sampleService } from './service-sample.ts'

/** A rollout from revision 3 to revision 4 of a service of four, as values: each test changes what it is about. */

export const startMs = 1_000_000

/** Two steps of a minute, 10 % and 50 %, and a minute at full weight. */
export function samplePlan(
  change: Partial<RolloutPlan> = {},
  policy: Partial<RolloutPlan['policy']> = {},
): RolloutPlan {
  return {
    id: 'plan-1',
    kind: 'Canary',
    stable: 3,
    candidate: 4,
    surge: 'Surge',
    steps: [sampleStep(10), sampleStep(50)],
    policy: {
      bakeMs: 60_000,
      minRequests: 100,
      maxTimeMs: 600_000,
      judge: { errors: { ratio: 1.25, floor: 0.01 }, slow: null },
      onFailure: 'Rollback',
      onInconclusive: 'Pause',
      ...policy,
    },
    turnsBack: true,
    leastReplicas: 4,
    ...change,
  }
}

export function sampleStep(weight: number, manual = false): RolloutPlan['steps'][number] {
  return { weight, bakeMs: 60_000, manual }
}

export function rollingPlan(
  change: Partial<RolloutPlan> = {},
  policy: Partial<RolloutPlan['policy']> = {},
): RolloutPlan {
  return samplePlan({ kind: 'Rolling', steps: [], ...change }, policy)
}

export function stateAt(position: Position, change: Partial<Omit<RolloutState, 'position'>> = {}): RolloutState {
  return { position, pause: null, judge: emptyJudge, analysedMs: 0, downSinceMs: null, ...change }
}

export function bakingAt(step: number, change: Partial<Extract<Position, { phase: 'Baking' }>> = {}): Position {
  return { phase: 'Baking', step, bakedMs: 0, requests: 0, silentMs: 0, ...change }
}

export function promotingAt(
  stage: Extract<Position, { phase: 'Promoting' }>['stage'],
  bakedMs = 0,
  sinceMs = startMs,
): Position {
  return { phase: 'Promoting', stage, sinceMs, bakedMs }
}

export function abortingAt(change: Partial<Extract<Position, { phase: 'Aborting' }>> = {}): Position {
  const cause = sampleCause('ByHand')
  return { phase: 'Aborting', cause, stage: 'Restoring', weight: 10, sinceMs: startMs, restored: 0, ...change }
}

export function pauseOf(reason: Pause['reason']): Pause {
  return { reason, message: `paused: ${reason}`, sinceMs: startMs }
}

export function sampleCause(reason: Cause['reason']): Cause {
  return { reason, message: `because ${reason}`, hint: null }
}

/** All four stable replicas serve, and there is no candidate. */
export function observe(change: Partial<RolloutObservation> = {}): RolloutObservation {
  return {
    nowMs: startMs,
    replicas: 4,
    stable: serving(4),
    candidate: serving(0),
    route: null,
    window: null,
    ...change,
  }
}

export function serving(count: number, change: Partial<RevisionObservation> = {}): RevisionObservation {
  return { total: count, staying: count, ready: count, serving: count, restarts: 0, failure: null, ...change }
}

/** Confirmed by the gateway, with requests since then. */
export function routeOf(weight: number | null, stable = 0, candidate = 0): RolloutObservation['route'] {
  return { weight, requests: { stable, candidate } }
}

/** Ten seconds: of so many requests of the candidate so many were errors, next to a stable revision without any. */
export function windowOf(requests: number, errors = 0): EvidenceWindow {
  return {
    durationMs: evidenceWindowMs,
    candidate: { requests, errors, slow: 0 },
    stable: { requests: 3600, errors: 0, slow: 0 },
  }
}

export function judgeAfter(windows: number, each: EvidenceWindow): JudgeState {
  let state = emptyJudge
  for (let count = 0; count < windows; count++) state = foldEvidence(state, each, samplePlan().policy.judge)
  return state
}

/** What the judge lets pass. */
export const provenGood = judgeAfter(60, windowOf(400))
/** What it fails: 8 % errors. */
export const provenBad = judgeAfter(10, windowOf(400, 32))

/** Revisions 1 to 3 have served, and 3 does. */
export function recordOfThree(change: Partial<ServiceRecord> = {}): ServiceRecord {
  return sampleRecord(
    serviceOfFour(),
    [1, 2, 3].map((number) => revisionOfFour(number)),
    change,
  )
}

/** Four replicas, and a rollout as it is written in a spec. */
export function serviceOfFour(rollout: Parameters<typeof resolveRollout>[0] = {}): Service {
  return sampleService({ replicas: 4, rollout: resolveRollout(rollout, '/') })
}

export function revisionOfFour(number: number, change: Partial<RevisionRecord> = {}): RevisionRecord {
  return sampleRevision(number, { service: serviceOfFour(), ...change })
}

export function rolloutOf(plan: RolloutPlan, state: RolloutState): RolloutRecord {
  return { plan, state, startedAtMs: startMs - 60_000 }
}

/** A rollout of that record to revision 4 goes on. */
export function recordDuring(rollout: RolloutRecord, change: Partial<ServiceRecord> = {}): ServiceRecord {
  const revisions = [1, 2, 3].map((number) => revisionOfFour(number))
  return recordOfThree({
    target: 4,
    revisions: [...revisions, revisionOfFour(4, { proven: false })],
    rollout,
    ...change,
  })
}

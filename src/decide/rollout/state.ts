import type { JudgeState } from '../judge/judge.ts'

/** How far a rollout is: plain data, written down before anything is done about it. Times are of the wall clock. */
export interface RolloutState {
  readonly position: Position
  /** Somebody or something holds it where it is; alarms still act. */
  readonly pause: Pause | null
  readonly judge: JudgeState
  /** Of evidence looked at, over all steps since the analysis began or was extended. */
  readonly analysedMs: number
  /** Since when the candidate has weight and nothing that is ready. */
  readonly downSinceMs: number | null
  /** Ends of the candidate's processes by the time it failed: where a person lets it try again, later ones count. Absent: none. */
  readonly forgivenRestarts?: number
}

export type Position =
  /** One candidate is started, and has to prove that it can serve. */
  | { readonly phase: 'Preparing' }
  /** So many replicas have been replaced. */
  | { readonly phase: 'Rolling'; readonly moved: number }
  /** The candidate grows to the size of the step; the weight is still that of the step before. */
  | { readonly phase: 'Scaling'; readonly step: number }
  /** The weight is written; it counts when the gateway has it and the requests show it. */
  | { readonly phase: 'Shifting'; readonly step: number; readonly sinceMs: number }
  | {
      readonly phase: 'Baking'
      readonly step: number
      readonly bakedMs: number
      /** Of the candidate in this step. */
      readonly requests: number
      /** Without any request for the candidate. */
      readonly silentMs: number
    }
  | {
      readonly phase: 'Promoting'
      readonly stage: 'Scaling' | 'Shifting' | 'Baking'
      readonly sinceMs: number
      /** At full weight. */
      readonly bakedMs: number
    }
  | {
      readonly phase: 'Aborting'
      readonly cause: Cause
      readonly stage: 'Restoring' | 'Shifting' | 'Draining'
      /** Of the candidate, until the stable revision can carry everything; null: all replicas are alike. */
      readonly weight: number | null
      /** Of the stage, and of the last stable replica that came back. */
      readonly sinceMs: number
      /** Stable replicas that had come back by then. */
      readonly restored: number
    }
  | { readonly phase: 'Done'; readonly outcome: 'Promoted'; readonly cause: null }
  | { readonly phase: 'Done'; readonly outcome: 'Aborted'; readonly cause: Cause }

export interface Pause {
  /** `Manual`: the step says so. `ByHand`: `towline pause`. `Failed` holds without weight, to be looked at. */
  readonly reason: 'Manual' | 'ByHand' | 'Inconclusive' | 'NoTraffic' | 'Failed'
  readonly message: string
  readonly sinceMs: number
  /** What failed, where something did. */
  readonly cause?: Cause['reason']
}

export interface Cause {
  readonly reason:
    | 'AnalysisFailed'
    | 'Inconclusive'
    | 'SmokeFailed'
    | 'NeverReady'
    | 'Crashed'
    | 'Unavailable'
    | 'WeightNotObserved'
    | 'ByHand'
    | 'Superseded'
  /** One sentence with the numbers. */
  readonly message: string
  /** What to do. */
  readonly hint: string | null
}

export type Phase = Position['phase'] | 'Paused'

/** In one word, as a person is told it. */
export function phaseOf({ position, pause }: RolloutState): Phase {
  return pause !== null && position.phase !== 'Aborting' && position.phase !== 'Done' ? 'Paused' : position.phase
}

import type { JudgePolicy } from '../judge/judge.ts'

/** What one rollout is to do, from its beginning to its end: immutable, stored with its state, the same for every target. */
export interface RolloutPlan {
  /** Every order of a person and every write of the hands is about this plan and no other. */
  readonly id: string
  /**
   * `Rolling`: one replica after the other. `Canary`: weights in steps, judged. `Switch`: back to a revision that has served
   * before, in one move once it has full capacity.
   */
  readonly kind: 'Rolling' | 'Canary' | 'Switch'
  /** The revision that serves, and where every abort ends. */
  readonly stable: number
  readonly candidate: number
  /** Where the capacity comes from: beside the stable replicas, in their place one by one, or after all of them. */
  readonly surge: Surge
  /** At least one for a canary, none for the others. */
  readonly steps: readonly PlannedStep[]
  readonly policy: RolloutPolicy
  /** False: the stable revision has never served, so there is nothing to turn back to. */
  readonly turnsBack: boolean
  /** Stable replicas at the start: a canary never goes below that. */
  readonly leastReplicas: number
}

export type Surge = 'Surge' | 'Swap' | 'Recreate'

export interface PlannedStep {
  /** Percent of the requests, 1 to 100. */
  readonly weight: number
  readonly bakeMs: number
  /** Waits for a person, however long. */
  readonly manual: boolean
}

export interface RolloutPolicy {
  /** At full weight, before the candidate counts as stable. */
  readonly bakeMs: number
  /** Of the candidate, at each step. */
  readonly minRequests: number
  readonly maxTimeMs: number
  readonly judge: JudgePolicy
  readonly onFailure: 'Rollback' | 'Pause'
  readonly onInconclusive: 'Rollback' | 'Pause'
}

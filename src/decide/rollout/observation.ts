import type { EvidenceWindow } from '../judge/judge.ts'
import type { Cause } from './state.ts'

/** What hands see at one look; the same from processes on one machine as from pods. */
export interface RolloutObservation {
  /** Wall clock. */
  readonly nowMs: number
  /** Replicas that the service should have: the spec's, a person's or the autoscaler's number. */
  readonly replicas: number
  readonly stable: RevisionObservation
  readonly candidate: RevisionObservation
  /** As the router has confirmed it last, with the counts since then; null: not yet. */
  readonly route: RouteObservation | null
  /** Evidence of a stretch of time that ended since the last look. */
  readonly window: EvidenceWindow | null
}

export interface RevisionObservation {
  /** All there are, also those that drain. */
  readonly total: number
  /** Started and not told to end for good. */
  readonly staying: number
  /** Can take requests: its probes say so, and its smoke requests were answered. */
  readonly ready: number
  /** Of those, the ones that the router has. */
  readonly serving: number
  /** How often a process of its present replicas ended by itself and was started again. */
  readonly restarts: number
  /** Why it cannot be expected to become ready; null: nothing speaks against it. */
  readonly failure: Cause | null
}

export interface RouteObservation {
  /** Percent of the candidate; null: requests go to all replicas alike. */
  readonly weight: number | null
  /** Since this weight was confirmed. */
  readonly requests: { readonly stable: number; readonly candidate: number }
}

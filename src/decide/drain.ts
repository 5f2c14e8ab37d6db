export interface DrainSettings {
  /** What the spec gives a replica to finish what it owes. */
  readonly drainTimeoutMs: number
  /** What one request may take. */
  readonly requestTimeoutMs: number
  /** Until everybody who sends requests knows that the replica is leaving; 0 where they confirm it. */
  readonly propagationMs: number
}

export interface DrainTimings {
  /** Before it is told to end: requests may still come. */
  readonly waitMs: number
  /** What the replica itself keeps to. */
  readonly drainMs: number
  /** From the beginning until it is killed. */
  readonly graceMs: number
}

/** Closing sessions and files after the last answer. */
const marginMs = 2000

/** A request that came in the last moment may take its whole time, so no spec makes draining shorter than that. */
export function planDrain({ drainTimeoutMs, requestTimeoutMs, propagationMs }: DrainSettings): DrainTimings {
  const drainMs = Math.max(drainTimeoutMs, requestTimeoutMs)
  return { waitMs: propagationMs, drainMs, graceMs: propagationMs + drainMs + marginMs }
}

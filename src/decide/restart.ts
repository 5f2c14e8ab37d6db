import { backoffMs } from '../base/backoff.ts'

/** A process that lived well this long starts again with a clean record. */
const forgivenAfterMs = 30_000
/** A replica that was only killed is back soon; the time lets the kernel free its memory. */
const firstWaitMs = 200
const laterWaits = { firstMs: 1000, factor: 2, maxMs: 30_000 }
/** Another try cannot help before a person has changed something: a model that cannot be loaded. */
const hopelessWaitMs = 60_000

export interface EndedProcess {
  /** Failures in a row before this one. */
  readonly failuresInRow: number
  /** How long it had been ready. */
  readonly readyMs: number
  readonly hopeless: boolean
}

export interface RestartDecision {
  readonly waitMs: number
  readonly failuresInRow: number
}

export function decideRestart({ failuresInRow, readyMs, hopeless }: EndedProcess): RestartDecision {
  const before = readyMs >= forgivenAfterMs ? 0 : failuresInRow
  const waitMs = hopeless ? hopelessWaitMs : before === 0 ? firstWaitMs : backoffMs(laterWaits, before - 1)
  return { waitMs, failuresInRow: before + 1 }
}

/** The longest wait there is: what a stored time may lie ahead, whatever the wall clock did meanwhile. */
export const longestRestartWaitMs = hopelessWaitMs

import { type EvidenceWindow, shareOf, tallyOf } from './evidence.ts'
import { type Tolerance, tolerated } from './metric.ts'

/** A floor under the test, not the test: shares of errors that no healthy service shows. */
const crashShare = 0.5
/** A restart of a healthy replica fills one window at most. */
const crashWindows = 2
/** With fewer answers in a window, half of them may be chance. */
const leastRequests = 10

export interface CrashState {
  readonly windowsInRow: number
  readonly crashed: boolean
}

export const noCrash: CrashState = { windowsInRow: 0, crashed: false }

/** What hits the stable revision as hard (a database that is gone) is no crash of the candidate. */
export function foldCrash(state: CrashState, { candidate, stable }: EvidenceWindow, tolerance: Tolerance): CrashState {
  if (candidate.requests < leastRequests) return { ...state, windowsInRow: 0 }
  const share = shareOf(tallyOf(candidate, 'Errors')) ?? 0
  const isBad = share >= crashShare && share > tolerated(tallyOf(stable, 'Errors'), tolerance)
  const windowsInRow = isBad ? state.windowsInRow + 1 : 0
  return { windowsInRow, crashed: state.crashed || windowsInRow >= crashWindows }
}

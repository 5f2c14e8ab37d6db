import { backoffMs } from '../../base/backoff.ts'

/** How a list or a watch ended. */
export type Outcome =
  | { readonly kind: 'Listed' }
  /** The server closed it, or its time was over. */
  | { readonly kind: 'Ended' }
  /** Open, and not even a bookmark came. */
  | { readonly kind: 'Silent' }
  /** A line that is no event. */
  | { readonly kind: 'Malformed' }
  /** No answer, or the connection broke. */
  | { readonly kind: 'Broken' }
  /** Answered as a failure, before the stream or in it; `retryAfterMs`: what the server asks for. */
  | { readonly kind: 'Refused'; readonly status: number; readonly retryAfterMs: number }

export interface Course {
  readonly doing: 'List' | 'Watch'
  /** Endings since something last arrived in a watch. */
  readonly failures: number
  /** A list was complete once. */
  readonly isSynced: boolean
}

export type Step =
  | { readonly kind: 'Go'; readonly course: Course; readonly afterMs: number }
  /** Nobody waits for what will not come: the first list is refused for a reason that time does not mend. */
  | { readonly kind: 'Stop' }

export const startCourse: Course = { doing: 'List', failures: 0, isSynced: false }

const backoff = { firstMs: 200, factor: 2, maxMs: 30_000 }
/** A version from which no watch begins (a broken line after it, one that a restored store never had) is passed over by a list. */
const maxTriesOfVersion = 3

/**
 * What comes after an ending. `hasProgress`: an event or a bookmark arrived since the last one. `random` in [0, 1). A forgotten version
 * (410) wants a new list; everything else goes on from the last version, later each time it fails.
 */
export function decideStep(course: Course, outcome: Outcome, hasProgress: boolean, random: number): Step {
  const failures = hasProgress ? 0 : course.failures
  if (outcome.kind === 'Listed') return { kind: 'Go', course: { doing: 'Watch', failures, isSynced: true }, afterMs: 0 }
  if (!course.isSynced && outcome.kind === 'Refused' && isFinal(outcome.status)) return { kind: 'Stop' }
  const wantsList =
    course.doing === 'List' ||
    (outcome.kind === 'Refused' && isForgotten(outcome.status)) ||
    ((outcome.kind === 'Malformed' || outcome.kind === 'Refused') && failures >= maxTriesOfVersion)
  const askedMs = outcome.kind === 'Refused' ? Math.min(outcome.retryAfterMs, backoff.maxMs) : 0
  return {
    kind: 'Go',
    course: { doing: wantsList ? 'List' : 'Watch', failures: failures + 1, isSynced: course.isSynced },
    afterMs: Math.max(backoffMs(backoff, failures, random), askedMs),
  }
}

/** 400: a version that the server cannot read, as after its store was replaced. 404: the kind was removed, and may come back. */
function isForgotten(status: number): boolean {
  return status === 410 || status === 400 || status === 404
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 410 && status !== 429
}

/**
 * Startup, readiness and liveness of one process as a fold over its probes. Until it has been ready once only the startup
 * limit counts: a model that loads slowly is not killed for being silent.
 */
export interface ProbeLimits {
  readonly startupTimeoutMs: number
  /** Misses in a row. */
  readonly unreadyAfter: number
  readonly deadAfter: number
}

/** Taking traffic away is cheap and quick to undo; ending a process is neither. */
export const defaultProbeLimits = { unreadyAfter: 2, deadAfter: 5 }

export type ProbeState =
  | { readonly phase: 'Starting'; readonly sinceMs: number }
  | { readonly phase: 'Ready' | 'Unready'; readonly sinceMs: number; readonly unready: number; readonly dead: number }
  | { readonly phase: 'Failed'; readonly sinceMs: number; readonly reason: 'StartupTimeout' | 'LivenessFailed' }

export interface ProbeSample {
  /** Monotonic. */
  readonly atMs: number
  readonly live: boolean
  readonly ready: boolean
}

export function foldProbe(state: ProbeState, { atMs, live, ready }: ProbeSample, limits: ProbeLimits): ProbeState {
  if (state.phase === 'Failed') return state
  if (state.phase === 'Starting') {
    if (live && ready) return { phase: 'Ready', sinceMs: atMs, unready: 0, dead: 0 }
    if (atMs - state.sinceMs < limits.startupTimeoutMs) return state
    return { phase: 'Failed', sinceMs: atMs, reason: 'StartupTimeout' }
  }
  const dead = live ? 0 : state.dead + 1
  if (dead >= limits.deadAfter) return { phase: 'Failed', sinceMs: atMs, reason: 'LivenessFailed' }
  const unready = ready ? 0 : state.unready + 1
  const phase = ready ? 'Ready' : unready >= limits.unreadyAfter ? 'Unready' : state.phase
  return { phase, sinceMs: phase === state.phase ? state.sinceMs : atMs, unready, dead }
}

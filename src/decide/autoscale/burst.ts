/**
 * Burst mode, after Knative's pod autoscaler: a short window beside the stable one. While the short one asks for twice what
 * there is, the service is in panic: it grows at once and never shrinks. Off unless the spec asks for it.
 */
export interface BurstPolicy {
  /** In-flight requests one replica is meant to have. */
  readonly target: number
  /** Panic begins at this many times the ready replicas. */
  readonly threshold: number
  readonly stableWindowMs: number
  readonly panicWindowMs: number
  /** One look takes the count at most to this many times what is ready, and at the least to this part of it. */
  readonly maxUpRate: number
  readonly maxDownRate: number
}

export const defaultBurst: Omit<BurstPolicy, 'target'> = {
  threshold: 2,
  stableWindowMs: 60_000,
  panicWindowMs: 6000,
  maxUpRate: 1000,
  maxDownRate: 2,
}

/** Averages of the in-flight requests of the whole service, the held ones included. Null: nothing was measured in that time. */
export interface BurstObservation {
  readonly stable: number | null
  readonly panic: number | null
  readonly readyReplicas: number
}

export interface PanicState {
  readonly sinceMs: number
  readonly lastOverMs: number
  readonly peak: number
}

export interface BurstStep {
  /** Null: no data, no wish. */
  readonly replicas: number | null
  /** Null: calm. */
  readonly panic: PanicState | null
}

export function stepBurst(
  policy: BurstPolicy,
  { stable, panic: recent, readyReplicas }: BurstObservation,
  before: PanicState | null,
  nowMs: number,
): BurstStep {
  if (stable === null || recent === null) return { replicas: before?.peak ?? null, panic: before }
  const ready = Math.max(1, readyReplicas)
  const least = Math.floor(ready / policy.maxDownRate)
  const most = Math.ceil(policy.maxUpRate * ready)
  const clamp = (load: number): number => Math.min(Math.max(Math.ceil(load / policy.target), least), most)
  const wanted = clamp(stable)
  const wantedNow = clamp(recent)

  const isOver = Math.ceil(recent / policy.target) / ready >= policy.threshold
  if (isOver) {
    const peak = Math.max(before?.peak ?? 0, readyReplicas, wanted, wantedNow)
    return { replicas: peak, panic: { sinceMs: before?.sinceMs ?? nowMs, lastOverMs: nowMs, peak } }
  }
  if (before === null) return { replicas: wanted, panic: null }
  // A whole stable window without need ends it.
  if (nowMs - before.lastOverMs >= policy.stableWindowMs) return { replicas: wanted, panic: null }
  const peak = Math.max(before.peak, wanted, wantedNow)
  return { replicas: peak, panic: { ...before, peak } }
}

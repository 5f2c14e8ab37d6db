import type { ScalingRules } from '../../spec/service.ts'

/** What the autoscaler remembers of one service. Lists are kept short by writing over what no window reaches any more. */
export interface ScaleHistory {
  /** Before stabilisation. */
  readonly recommendations: readonly Recommendation[]
  readonly ups: readonly ScaleEvent[]
  readonly downs: readonly ScaleEvent[]
}

export interface Recommendation {
  readonly replicas: number
  readonly atMs: number
}

export interface ScaleEvent {
  /** Replicas added or removed, never negative. */
  readonly change: number
  readonly atMs: number
}

/** A controller that sees a service for the first time takes its present size as the first recommendation. */
export function startHistory(currentReplicas: number, nowMs: number): ScaleHistory {
  return { recommendations: [{ replicas: currentReplicas, atMs: nowMs }], ups: [], downs: [] }
}

/** To be called once the new size is written. Without `behavior` nothing reads these events, and none is kept. */
export function recordScale(
  history: ScaleHistory,
  { rules, from, to, nowMs }: { rules: ScalingRules | undefined; from: number; to: number; nowMs: number },
): ScaleHistory {
  if (rules === undefined) return history
  const longestMs = Math.max(0, ...rules.policies.map(({ periodSeconds }) => periodSeconds)) * 1000
  const event = { change: Math.abs(to - from), atMs: nowMs }
  const isOld = ({ atMs }: ScaleEvent): boolean => atMs < nowMs - longestMs
  return to > from
    ? { ...history, ups: replaceLast(history.ups, isOld, event) }
    : { ...history, downs: replaceLast(history.downs, isOld, event) }
}

/** Over the last one that is `old`, or at the end. */
export function replaceLast<T>(list: readonly T[], isOld: (item: T) => boolean, item: T): readonly T[] {
  const index = list.findLastIndex(isOld)
  return index === -1 ? [...list, item] : list.with(index, item)
}

/** Replicas that moved within the period before `nowMs`. */
export function sumChanges(events: readonly ScaleEvent[], periodSeconds: number, nowMs: number): number {
  const cutoffMs = nowMs - periodSeconds * 1000
  return events.reduce((sum, { change, atMs }) => (atMs > cutoffMs ? sum + change : sum), 0)
}

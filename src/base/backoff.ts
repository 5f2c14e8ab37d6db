export interface Backoff {
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
}

/** Wait before try number `attempt` (0 = the first retry). `random` in [0, 1) spreads the wait over its upper half. */
export function backoffMs({ firstMs, factor, maxMs }: Backoff, attempt: number, random = 1): number {
  const fullMs = Math.min(maxMs, firstMs * factor ** Math.max(0, attempt))
  return Math.round(fullMs / 2 + (fullMs / 2) * random)
}

import { backoffMs } from '../../base/backoff.ts'
import type { KubeFailure } from './failure.ts'

/** How often one call is sent at most. */
export const maxTries = 4

const backoff = { firstMs: 250, factor: 2, maxMs: 5000 }
/** A server that asks for more patience gets this much; then the try counts as failed. */
const maxRetryAfterMs = 15_000

/** 502 and 504 are of what stands before an API server. */
const passingStatuses: readonly number[] = [429, 502, 503, 504]

/** True where the same call may be answered otherwise in a moment. */
export function isPassingFailure({ status, body }: KubeFailure, headers: Readonly<Record<string, string>>): boolean {
  // A budget holds an eviction back: whoever evicts decides how long to wait.
  if (body.details?.causes?.some(({ reason }) => reason === 'DisruptionBudget') === true) return false
  return passingStatuses.includes(status) || (status === 500 && headers['retry-after'] !== undefined)
}

/** Before the next try; `failures` from 1. What the server asks for counts where it is longer. `random` in [0, 1). */
export function retryDelayMs(failures: number, retryAfter: string | undefined, random: number, nowMs: number): number {
  return Math.max(backoffMs(backoff, failures - 1, random), readRetryAfterMs(retryAfter, nowMs))
}

/** Retry-After as seconds or as a date. */
function readRetryAfterMs(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), maxRetryAfterMs)
}

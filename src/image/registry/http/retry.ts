import { backoffMs } from '../../../base/backoff.ts'
import type { Answer, ConnectionFailure } from './exchange.ts'

/** How often one request is sent at most. */
export const maxTries = 4

const backoff = { firstMs: 1000, factor: 3, maxMs: 30_000 }
/** A registry that asks for more patience gets this much; then the try counts as failed. */
const maxRetryAfterMs = 60_000

/** 499 and 522 are of proxies in front of registries: the client or the registry behind went away. */
const temporaryStatuses: readonly number[] = [408, 429, 499, 500, 502, 503, 504, 522]

const temporaryCodes: readonly string[] = [
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
]

export function isTemporaryStatus(status: number): boolean {
  return temporaryStatuses.includes(status)
}

/** `wasReached`: it answered before, so that a refused connection means a restart and not a wrong address. */
export function isTemporaryFailure({ code }: ConnectionFailure, wasReached: boolean): boolean {
  return temporaryCodes.includes(code) || (wasReached && code === 'ECONNREFUSED')
}

/** Before the next try; `failures` from 1. What the registry asks for counts where it is longer. `random` in [0, 1). */
export function retryDelayMs(failures: number, answer: Answer | undefined, random: number, nowMs: number): number {
  return Math.max(backoffMs(backoff, failures - 1, random), retryAfterMs(answer, nowMs))
}

/** Retry-After as seconds or as a date. */
function retryAfterMs(answer: Answer | undefined, nowMs: number): number {
  const value = answer?.headers['retry-after']
  if (typeof value !== 'string') return 0
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), maxRetryAfterMs)
}

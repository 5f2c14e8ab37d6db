import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../../src/base/clock.ts'
import { StatusFailure } from '../objects/status-failure.ts'
import type { RequestRecord } from './requests.ts'

/** What goes wrong instead of, or on the way to, an answer. */
export type Fault =
  | {
      readonly kind: 'Refuse'
      readonly status: number
      readonly retryAfterSeconds?: number
      readonly reason?: string
      readonly message?: string
    }
  /** The answer comes, later. */
  | { readonly kind: 'Slow'; readonly delayMs: number }
  /** Nothing is ever answered. */
  | { readonly kind: 'Hang' }
  /** The connection is gone at once; nothing was done. */
  | { readonly kind: 'Reset' }
  /** It is done, and the connection is gone within the answer. */
  | { readonly kind: 'Truncate' }

export interface FaultPlan {
  /** Which requests; absent: all. All that is named must hold. */
  readonly when?: {
    readonly verb?: RequestRecord['verb']
    readonly plural?: string
    readonly name?: string
    readonly path?: RegExp
  }
  /** How many of them. Default: 1. */
  readonly times?: number
  readonly does: Fault
}

export interface PlannedFault {
  /** How often it has struck. */
  hits(): number
  remove(): void
}

export interface Faults {
  /** The one that was planned first strikes, if several could. */
  add(plan: FaultPlan): PlannedFault
  strike(request: RequestRecord): Fault | undefined
}

export function createFaults(): Faults {
  const planned = new Set<{ readonly plan: FaultPlan; hits: number }>()
  return {
    add(plan) {
      const entry = { plan, hits: 0 }
      planned.add(entry)
      return { hits: () => entry.hits, remove: () => void planned.delete(entry) }
    },
    strike(request) {
      const entry = [...planned].find(({ plan, hits }) => hits < (plan.times ?? 1) && isMeant(plan, request))
      if (entry === undefined) return undefined
      entry.hits++
      return entry.plan.does
    },
  }
}

function isMeant({ when = {} }: FaultPlan, { verb, plural, name, path }: RequestRecord): boolean {
  return (
    (when.verb ?? verb) === verb &&
    (when.plural ?? plural) === plural &&
    (when.name ?? name) === name &&
    (when.path?.test(path) ?? true)
  )
}

const reasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** Before the request is served. True: it is not to be served any more. Throws the StatusFailure of a refusal. */
export async function strikeBefore(
  fault: Fault | undefined,
  response: ServerResponse,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  switch (fault?.kind) {
    case 'Refuse': {
      const {
        status,
        reason = reasons[status] ?? '',
        message = `refused by the plan of a test`,
        retryAfterSeconds,
      } = fault
      const more = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds }, retryAfterSeconds }
      throw new StatusFailure(status, reason, message, more)
    }
    case 'Slow':
      await clock.sleep(fault.delayMs, signal)
      return false
    case 'Hang':
      return true
    case 'Reset':
      response.destroy()
      return true
    default:
      return false
  }
}

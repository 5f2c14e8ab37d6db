import { type Counts, type EvidenceWindow, evidenceWindowMs } from '../../decide/judge/judge.ts'
import type { GatewayRouteStatus } from '../gateway/gateway-config.ts'

export interface EvidencePace {
  /** Of one window of evidence. */
  readonly windowMs: number
  /** Left out after each change of weight: new replicas are slower at first. */
  readonly warmUpMs: number
}

export const defaultPace: EvidencePace = { windowMs: evidenceWindowMs, warmUpMs: 30_000 }

/** The gateway's running counts for one service. */
export type CountedRoute = Pick<GatewayRouteStatus, 'countedSince' | 'measuredAtMs' | 'revisions'>

export interface Compared {
  readonly stable: number
  readonly candidate: number
}

interface Mark {
  readonly countedSince: string
  readonly atMs: number
  readonly stable: Counts
  readonly candidate: Counts
}

/** Cuts the gateway's running counts into windows of evidence, each from one stretch of a rollout and one gateway process. */
export class EvidenceSampler {
  readonly #pace: EvidencePace
  #stretch: string | null = null
  #mark: Mark | undefined
  #warm = false

  constructor(pace: EvidencePace) {
    this.#pace = pace
  }

  /** A window that has just ended, or null. Another stretch begins anew; null: nothing is compared now. */
  sample(stretch: string | null, traffic: CountedRoute | undefined, compared: Compared): EvidenceWindow | null {
    if (stretch !== this.#stretch) {
      this.#stretch = stretch
      this.#mark = undefined
      this.#warm = false
    }
    if (stretch === null || traffic === undefined) return null
    const now: Mark = {
      countedSince: traffic.countedSince,
      atMs: traffic.measuredAtMs,
      stable: countsOf(traffic, compared.stable),
      candidate: countsOf(traffic, compared.candidate),
    }
    const mark = this.#mark
    if (mark === undefined || mark.countedSince !== now.countedSince) {
      this.#mark = now
      return null
    }
    const durationMs = now.atMs - mark.atMs
    if (!this.#warm) {
      if (durationMs < this.#pace.warmUpMs) return null
      this.#warm = true
      this.#mark = now
      return null
    }
    if (durationMs < this.#pace.windowMs) return null
    this.#mark = now
    return {
      durationMs,
      stable: subtract(now.stable, mark.stable),
      candidate: subtract(now.candidate, mark.candidate),
    }
  }
}

/** A refused request counts as an error: a model that takes other inputs than before refuses what used to work. */
export function countsOf({ revisions }: Pick<CountedRoute, 'revisions'>, revision: number): Counts {
  const {
    requests = 0,
    errors = 0,
    refused = 0,
    slow = 0,
  } = revisions.find((counts) => counts.revision === revision) ?? {}
  return { requests, errors: errors + refused, slow }
}

function subtract(after: Counts, before: Counts): Counts {
  return {
    requests: after.requests - before.requests,
    errors: after.errors - before.errors,
    slow: after.slow - before.slow,
  }
}

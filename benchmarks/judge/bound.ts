/**
 * How fast any test could be that is wrong as rarely as the judge: it needs ln(1/risk) of information, and what a minute gives is
 * the divergence to the nearest case in which the answer would be wrong (Wald). Answers are bad each by itself here.
 */
import { type Tolerance, alarmRisk, proofRisk } from '../../src/decide/judge/judge.ts'
import type { Step } from './rollout.ts'

interface Shares {
  readonly candidate: number
  readonly stable: number
}

interface Minute {
  readonly candidate: number
  readonly stable: number
}

/** Minutes that an alarm takes at a fixed weight, on average. */
export function alarmBoundMinutes(minute: Minute, shares: Shares, { ratio, floor }: Tolerance): number {
  const overStable = nearest((stable) =>
    cost(minute, shares, { candidate: Math.min(shares.candidate, ratio * stable), stable }),
  )
  const overFloor =
    floor > 0 ? minute.candidate * divergence(shares.candidate, Math.min(shares.candidate, floor)) : Infinity
  return Math.log(1 / alarmRisk) / Math.min(overStable, overFloor)
}

/** Minutes that a proof takes through the steps of a rollout, with what the rollout itself asks for; null: more than an hour. */
export function proofBoundMinutes(
  steps: readonly Step[],
  requestsPerMinute: number,
  shares: Shares,
  { ratio, floor }: Tolerance,
  asked: { readonly leftOutS: number; readonly bakeS: number; readonly leastRequests: number },
): number | null {
  let minutes = 0
  let missing = Math.log(1 / proofRisk)
  for (const [index, { weight }] of steps.entries()) {
    const minute = { candidate: requestsPerMinute * weight, stable: requestsPerMinute * (1 - weight) }
    const rate = nearest((stable) =>
      cost(minute, shares, { candidate: Math.max(shares.candidate, floor, ratio * stable), stable }),
    )
    const baked = Math.max(asked.bakeS / 60, asked.leastRequests / minute.candidate)
    const spent = index === steps.length - 1 ? Math.max(baked, missing / rate) : baked
    minutes += asked.leftOutS / 60 + spent
    missing -= spent * rate
  }
  return minutes <= 60 ? minutes : null
}

function cost(minute: Minute, truth: Shares, other: Shares): number {
  return (
    minute.candidate * divergence(truth.candidate, other.candidate) +
    minute.stable * divergence(truth.stable, other.stable)
  )
}

/** Over all shares that the stable revision might have. */
function nearest(costAt: (stable: number) => number): number {
  let least = Infinity
  for (let exponent = -5; exponent < -0.3; exponent += 0.005) least = Math.min(least, costAt(10 ** exponent))
  return least
}

function divergence(p: number, q: number): number {
  if (p === q) return 0
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
}

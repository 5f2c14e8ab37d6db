import { type Bet, aboveFloor, aboveStable, belowFloor, belowStable } from './bet.ts'
import { firstStake, stakeSizes } from './capital.ts'
import { evidenceWindowMs } from './evidence.ts'
import { type Growth, growthOf } from './growth.ts'
import { alarmRisk, proofRisk } from './judge.ts'
import { type Tolerance, assumeClumping } from './metric.ts'

/** Traffic that stays the same for a time: one step of a rollout. */
export interface Stretch {
  readonly durationMs: number
  readonly candidatePerMinute: number
  readonly stablePerMinute: number
}

export interface PowerQuestion {
  readonly stretches: readonly Stretch[]
  /** Bad answers of the stable revision, as a share. */
  readonly stableShare: number
  readonly tolerance: Tolerance
}

/** How likely and how fast an answer is, as far as answers are bad each by itself; bursts take longer. To the minute. */
export interface Power {
  /** The share that is tolerated. */
  readonly bound: number
  /** The smallest share that fails in time nine times out of ten; null: not even a candidate that does nothing right does. */
  readonly smallestShown: {
    readonly share: number
    readonly timesBound: number | null
    readonly timesStable: number | null
  } | null
  /** What usually goes wrong, as multiples of the stable share. A null time: most rollouts end before. */
  readonly defects: readonly {
    readonly times: number
    readonly share: number
    readonly tolerated: boolean
    readonly medianMs: number | null
  }[]
  /** A candidate exactly like the stable revision: when half of them, and nine of ten, are proven. */
  readonly healthy: { readonly medianMs: number | null; readonly likelyMs: number | null }
}

const minuteMs = 60_000
const usualDefects = [2, 3, 10] as const
const half = 0.5
const nineOfTen = 0.9

export function describePower(question: PowerQuestion): Power {
  const { stableShare, tolerance } = question
  const bound = Math.max(tolerance.floor, tolerance.ratio * stableShare)
  const smallest = smallestShown(question, bound)
  return {
    bound,
    smallestShown:
      smallest === null
        ? null
        : {
            share: smallest,
            timesBound: bound > 0 ? smallest / bound : null,
            timesStable: stableShare > 0 ? smallest / stableShare : null,
          },
    defects: usualDefects.map((times) => {
      const share = Math.min(1, times * stableShare)
      const tolerated = share <= bound
      return { times, share, tolerated, medianMs: tolerated ? null : alarmMs(question, share, half) }
    }),
    healthy: {
      medianMs: proofMs(question, half),
      likelyMs: proofMs(question, nineOfTen),
    },
  }
}

/** To a hundredth; what is worse is shown sooner. */
function smallestShown(question: PowerQuestion, bound: number): number | null {
  if (alarmMs(question, 1, nineOfTen) === null) return null
  let low = Math.max(bound, 1e-6)
  let high = 1
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high)
    if (alarmMs(question, middle, nineOfTen) === null) low = middle
    else high = middle
  }
  return high
}

/** Both hypotheses have to fall: the later one counts. */
function alarmMs(question: PowerQuestion, share: number, certainty: number): number | null {
  const needed = Math.log(1 / alarmRisk)
  const overStable = reachMs(question, aboveStable, share, needed, certainty)
  if (question.tolerance.floor === 0) return overStable
  const overFloor = reachMs(question, aboveFloor, share, needed, certainty)
  return overStable === null || overFloor === null ? null : Math.max(overStable, overFloor)
}

/** One of the two is enough, with half of the money on each. */
function proofMs(question: PowerQuestion, certainty: number): number | null {
  const needed = Math.log(2 / proofRisk)
  const { stableShare, tolerance } = question
  const times = [reachMs(question, belowStable, stableShare, needed, certainty)]
  if (tolerance.floor > 0) times.push(reachMs(question, belowFloor, stableShare, needed, certainty))
  const reached = times.filter((time) => time !== null)
  return reached.length === 0 ? null : Math.min(...reached)
}

/** The first minute by which the money has been enough with this chance. */
function reachMs(
  { stretches, stableShare, tolerance }: PowerQuestion,
  kind: (bet: Bet, size: number) => number,
  share: number,
  needed: number,
  certainty: number,
): number | null {
  const stakes = stakeSizes.map((size) => ({ size, mean: 0, variance: 0 }))
  let passedMs = 0
  let bad = 0
  for (const { durationMs, candidatePerMinute, stablePerMinute } of stretches) {
    const perWindow = evidenceWindowMs / minuteMs
    const requests = { candidate: candidatePerMinute * perWindow, stable: stablePerMinute * perWindow }
    const isBlind =
      requests.candidate === 0 || (requests.stable === 0 && (kind === aboveStable || kind === belowStable))
    for (let leftMs = durationMs; leftMs > 0; leftMs -= minuteMs) {
      const windows = Math.min(leftMs, minuteMs) / evidenceWindowMs
      passedMs += Math.min(leftMs, minuteMs)
      if (isBlind) continue
      const clumping = assumeClumping(
        { pairs: bad * share, triples: bad * share ** 2 },
        requests.candidate,
        Math.max(tolerance.floor, tolerance.ratio * stableShare),
      )
      bad += windows * requests.candidate * share
      for (const stake of stakes) {
        const growth = growthOf(
          kind,
          { ...tolerance, expected: stableShare, clumping },
          requests,
          { candidate: share, stable: stableShare },
          stake.size,
        )
        stake.mean += windows * growth.mean
        stake.variance += windows * growth.variance
      }
      if (reachChance(stakes, needed) >= certainty) return passedMs
    }
  }
  return null
}

/** As if the logarithm of the best stake were a Brownian motion with drift: the chance that it has ever been so high. */
function reachChance(stakes: readonly Growth[], needed: number): number {
  const { mean, variance } = stakes.reduce((best, stake) => (stake.mean > best.mean ? stake : best))
  const others = stakes.reduce((sum, stake) => sum + Math.exp(stake.mean - mean), 0)
  const height = needed - Math.log(firstStake * others)
  const spread = Math.sqrt(variance)
  if (height <= 0) return 1
  if (spread === 0) return mean >= height ? 1 : 0
  const missed = (mean - height) / spread
  const returned = Math.exp(-(missed ** 2) / 2) * tailRatio((mean + height) / spread)
  return normalBelow(missed) + returned
}

function normalBelow(z: number): number {
  const tail = tailRatio(Math.abs(z)) * Math.exp(-(z ** 2) / 2)
  return z < 0 ? tail : 1 - tail
}

/** Standard normal beyond z, over exp(-z²/2); to 1e-7 where it matters (Abramowitz and Stegun 26.2.17). */
function tailRatio(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const sum = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return sum / Math.sqrt(2 * Math.PI)
}

import type { Tally } from '../../src/decide/judge/evidence.ts'
import { type Random, drawPoisson } from './random.ts'

/** All answers of one replica are bad for a while: a stall makes them slow, a restart makes them errors. */
export interface Bursts {
  /** Mean time between two on one replica. */
  readonly everyS: number
  readonly shortestS: number
  readonly longestS: number
}

/** How one revision behaves: answers that are bad each by itself, and bursts. */
export interface Behaviour {
  /** Goes up and down with what both revisions have in common. */
  readonly share: number
  /** Never below this. */
  readonly leastShare: number
  readonly bursts: readonly Bursts[]
}

export interface WindowLoad {
  readonly replicas: number
  readonly requests: number
  readonly windowS: number
  /** What all replicas of both revisions have in common at this time, around 1. */
  readonly swing: number
  /** Share that comes on top while new replicas are cold. */
  readonly cold: number
}

/** Windows of one metric of one revision, one after the other. A burst may reach into the next window. */
export function createRevision(random: Random, { share, leastShare, bursts }: Behaviour): (load: WindowLoad) => Tally {
  let left: number[] = []
  return ({ replicas, requests, windowS, swing, cold }) => {
    const next: number[] = []
    let badS = 0
    const spend = (seconds: number, roomS: number): void => {
      badS += Math.min(seconds, roomS)
      if (seconds > roomS) next.push(seconds - roomS)
    }
    for (const seconds of left) spend(seconds, windowS)
    for (const { everyS, shortestS, longestS } of bursts) {
      const count = drawPoisson(random, (replicas * windowS) / everyS)
      for (let index = 0; index < count; index++)
        spend(shortestS + (longestS - shortestS) * random(), windowS * random())
    }
    left = next
    const inBursts = Math.min(1, badS / (replicas * windowS))
    const single = Math.min(1, Math.max(leastShare, share * swing) + cold)
    const bad = drawPoisson(random, requests * (inBursts + (1 - inBursts) * single))
    const good = drawPoisson(random, requests * (1 - inBursts) * (1 - single))
    return { requests: bad + good, bad }
  }
}

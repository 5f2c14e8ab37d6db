/**
 * Money in fair or losing games, if the hypothesis holds: it then reaches 1/α with probability α at most, whenever one looks
 * (Ville). Starts at 1. Part is on the table in stakes of several sizes, the rest waits and goes in bit by bit, so that a
 * candidate that changes late meets fresh money.
 */
export interface Capital {
  readonly reserve: number
  readonly stakes: readonly number[]
}

/** Which part of the best bet each stake puts in: small ones win against small defects, large ones win quickly. */
export const stakeSizes = [0.2, 0.6] as const

const firstReserve = 0.2
/** Half of the reserve is on the table after about a quarter of an hour. */
const reserveTimeMs = 20 * 60_000
/** Far beyond any limit; keeps the numbers finite. */
const highest = 1e9

export const firstStake = (1 - firstReserve) / stakeSizes.length

export const startCapital: Capital = { reserve: firstReserve, stakes: stakeSizes.map(() => firstStake) }

/** `factorOf`: by how much a stake of this size grows or shrinks in this window; never negative. */
export function playWindow(
  { reserve, stakes }: Capital,
  durationMs: number,
  factorOf: (size: number) => number,
): Capital {
  const added = reserve * -Math.expm1(-durationMs / reserveTimeMs)
  return {
    reserve: reserve - added,
    stakes: stakes.map((stake, index) => {
      const factor = Math.max(0, factorOf(stakeSizes[index] ?? 0))
      return Math.min(highest, (stake + added / stakes.length) * factor)
    }),
  }
}

export function worthOf({ reserve, stakes }: Capital): number {
  return stakes.reduce((sum, stake) => sum + stake, reserve)
}

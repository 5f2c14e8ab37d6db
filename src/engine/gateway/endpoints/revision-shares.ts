import type { RevisionWeight } from '../gateway-config.ts'
import { type Candidate, pickEndpoint } from './pick-endpoint.ts'

/** What one revision gets of the requests. Changed in place, so that a pick allocates nothing. */
export interface RevisionShare<T extends Candidate = Candidate> {
  readonly revision: number
  readonly percent: number
  candidates: readonly T[]
  /** Hundredths of a request that are owed to it; below 0 it was ahead of its turn. */
  credit: number
  /** The candidate with which the next choice among equals begins. */
  turn: number
}

/** After as many turns as this the order begins anew, at the latest. */
export const turnsOfOrder = 100

/**
 * The shares after `turnsTaken` turns. Who begins somewhere in the order, another time elsewhere, does not starve the same
 * revision at each start: 5 % would come up in the middle of the first twenty requests, and never for who has fewer.
 */
export function createShares<T extends Candidate>(
  weights: readonly RevisionWeight[],
  turnsTaken: number,
): RevisionShare<T>[] {
  const shares = listWeights(weights).map((weight): RevisionShare<T> => ({
    ...weight,
    candidates: [],
    credit: 0,
    turn: 0,
  }))
  for (let turn = 0; turn < turnsTaken; turn++) takeTurn(shares, () => true)
  return shares
}

/** Whether these shares are what the weights ask for, so that they can go on where they are. */
export function haveWeights(shares: readonly RevisionShare[], weights: readonly RevisionWeight[]): boolean {
  const wanted = listWeights(weights)
  return (
    wanted.length === shares.length &&
    wanted.every(({ revision, percent }, index) => {
      const share = shares[index]
      return share?.revision === revision && share.percent === percent
    })
  )
}

/** An active candidate with the fewest requests in flight of the revision whose turn it is; undefined: none is active. */
export function pickFromShares<T extends Candidate>(shares: readonly RevisionShare<T>[]): T | undefined {
  const share = takeTurn(shares, hasActive)
  if (share === undefined) return undefined
  const index = pickEndpoint(share.candidates, share.turn)
  if (index === undefined) return undefined
  share.turn = index + 1
  return share.candidates[index]
}

/**
 * Smooth weighted round robin: each gets its weight as credit, who has most is taken and pays for all. Who cannot be taken
 * gets and pays nothing meanwhile: the others share by their weights, and it has no arrears to catch up with.
 */
function takeTurn<S extends RevisionShare>(shares: readonly S[], canTake: (share: S) => boolean): S | undefined {
  let most: S | undefined
  let given = 0
  for (const share of shares) {
    if (!canTake(share)) continue
    share.credit += share.percent
    given += share.percent
    if (most === undefined || share.credit > most.credit) most = share
  }
  if (most !== undefined) most.credit -= given
  return most
}

function hasActive({ candidates }: RevisionShare): boolean {
  for (const { state } of candidates) if (state === 'Active') return true
  return false
}

function listWeights(weights: readonly RevisionWeight[]): RevisionWeight[] {
  return weights.filter(({ percent }) => percent > 0).toSorted((a, b) => a.revision - b.revision)
}

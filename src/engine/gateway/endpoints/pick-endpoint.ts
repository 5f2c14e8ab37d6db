export interface Candidate {
  readonly state: 'Active' | 'Ejected' | 'Draining'
  readonly inFlight: number
}

/**
 * Index of the active candidate with the fewest requests in flight, or undefined when none is active. Among equals the first
 * from `turn` on wins, so that a caller who continues behind the last pick goes round.
 */
export function pickEndpoint(candidates: readonly Candidate[], turn: number): number | undefined {
  let best: number | undefined
  let fewest = Infinity
  for (let step = 0; step < candidates.length; step++) {
    const index = (turn + step) % candidates.length
    const candidate = candidates[index]
    if (candidate?.state !== 'Active' || candidate.inFlight >= fewest) continue
    best = index
    fewest = candidate.inFlight
  }
  return best
}

import { type Outcome, playRollout } from './rollout.ts'
import type { Situation } from './situations.ts'

/** Many rollouts of one situation: parts of 1, and the median time of the aborted and of the promoted ones. */
export interface Row {
  readonly situation: Situation
  readonly parts: Readonly<Record<Outcome, number>>
  readonly medianMinutes: Readonly<Record<Outcome, number | null>>
}

export function playSituation(situation: Situation, rollouts: number, seed: number): Row {
  const seconds: Record<Outcome, number[]> = { Promoted: [], Aborted: [], Inconclusive: [] }
  for (let index = 0; index < rollouts; index++) {
    const played = playRollout(situation.scenario, seed + index)
    seconds[played.outcome].push(played.seconds)
  }
  const each = <T>(of: (list: readonly number[]) => T): Record<Outcome, T> => ({
    Promoted: of(seconds.Promoted),
    Aborted: of(seconds.Aborted),
    Inconclusive: of(seconds.Inconclusive),
  })
  return {
    situation,
    parts: each((list) => list.length / rollouts),
    medianMinutes: each((list) => {
      const middle = list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
      return middle === undefined ? null : middle / 60
    }),
  }
}

import type { Tally } from '../../src/decide/judge/evidence.ts'
import {
  type EvidenceWindow,
  type JudgePolicy,
  type Tolerance,
  emptyJudge,
  evidenceWindowMs,
  foldEvidence,
  judge,
} from '../../src/decide/judge/judge.ts'
import { looksFine } from '../../src/decide/rollout/step.ts'
import { type Random, createRandom } from './random.ts'
import { type Behaviour, createRevision } from './revision.ts'

export interface Step {
  /** Share of the requests. */
  readonly weight: number
  readonly candidateReplicas: number
}

/** One kind of rollout, to be played many times. */
export interface Scenario {
  readonly metric: 'Errors' | 'Slow'
  readonly requestsPerMinute: number
  readonly stableReplicas: number
  /** One step is a fixed weight, watched for the whole time. */
  readonly steps: readonly Step[]
  readonly tolerance: Tolerance
  readonly stable: Behaviour
  readonly candidate: Behaviour
  /** Until then it behaves like the stable revision. */
  readonly turnsBadAtS?: number
  /** New replicas begin with this share of bad answers; it falls to nothing in so many seconds. */
  readonly warmUp?: { readonly share: number; readonly seconds: number }
  /** At the beginning of each step; 30 s if not said. */
  readonly leftOutS?: number
}

export type Outcome = 'Promoted' | 'Aborted' | 'Inconclusive'

export interface Played {
  readonly outcome: Outcome
  /** Of analysis, with what is left out at the beginning of a step. */
  readonly seconds: number
}

/** What the rollout asks of a step, as `decide/rollout` does. */
export const asked = { bakeS: 120, leastRequests: 200, leftOutS: 30 } as const
const hourS = 3600

const windowS = evidenceWindowMs / 1000
const swingS = 1200
const swingHeight = 0.5

export function playRollout(scenario: Scenario, seed: number): Played {
  const { steps, tolerance, metric } = scenario
  const policy: JudgePolicy = {
    errors: metric === 'Errors' ? tolerance : null,
    slow: metric === 'Slow' ? tolerance : null,
  }
  const windowOf = createWindows(scenario, createRandom(seed))
  let state = emptyJudge
  let step = 0
  let bakedS = 0
  let requests = 0
  let skipS = scenario.leftOutS ?? asked.leftOutS
  let stepS = 0
  for (let nowS = 0; nowS < hourS; nowS += windowS) {
    const at = steps[step]
    if (at === undefined) throw new Error(`there is no step ${step}`)
    const window = windowOf(at, nowS, newPart(steps, step), stepS)
    stepS += windowS
    if (skipS > 0) {
      skipS -= windowS
      continue
    }
    state = foldEvidence(state, window, policy)
    const judgement = judge(state, policy)
    const { verdict } = judgement
    if (verdict === 'Fail') return { outcome: 'Aborted', seconds: nowS + windowS }
    bakedS += windowS
    requests += window.candidate.requests
    if (steps.length === 1 || bakedS < asked.bakeS || requests < asked.leastRequests) continue
    if (step === steps.length - 1) {
      if (verdict === 'Pass') return { outcome: 'Promoted', seconds: nowS + windowS }
      continue
    }
    if (!looksFine(judgement)) continue
    step++
    bakedS = 0
    requests = 0
    stepS = 0
    skipS = scenario.leftOutS ?? asked.leftOutS
  }
  return { outcome: 'Inconclusive', seconds: hourS }
}

/** Of the candidate's replicas at this step, the part that has just started. */
function newPart(steps: readonly Step[], step: number): number {
  const now = steps[step]?.candidateReplicas ?? 1
  return (now - (steps[step - 1]?.candidateReplicas ?? 0)) / now
}

function createWindows(
  { metric, stable, candidate, stableReplicas, requestsPerMinute, turnsBadAtS = 0, warmUp }: Scenario,
  random: Random,
): (step: Step, nowS: number, newPart: number, stepS: number) => EvidenceWindow {
  const phase = 2 * Math.PI * random()
  const playStable = createRevision(random, stable)
  const playHealthy = createRevision(random, stable)
  const playCandidate = createRevision(random, candidate)
  const counts = ({ requests, bad }: Tally): EvidenceWindow['stable'] =>
    metric === 'Errors' ? { requests, errors: bad, slow: 0 } : { requests, errors: 0, slow: bad }
  return ({ weight, candidateReplicas }, nowS, newPart, stepS) => {
    const requests = (requestsPerMinute * windowS) / 60
    const swing = 1 + swingHeight * Math.sin((2 * Math.PI * nowS) / swingS + phase)
    const cold = warmUp === undefined ? 0 : newPart * warmUp.share * Math.max(0, 1 - stepS / warmUp.seconds)
    const play = nowS < turnsBadAtS ? playHealthy : playCandidate
    return {
      durationMs: windowS * 1000,
      candidate: counts(play({ windowS, swing, cold, replicas: candidateReplicas, requests: requests * weight })),
      stable: counts(
        playStable({ windowS, swing, cold: 0, replicas: stableReplicas, requests: requests * (1 - weight) }),
      ),
    }
  }
}

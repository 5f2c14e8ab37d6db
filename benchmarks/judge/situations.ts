import { alarmBoundMinutes, proofBoundMinutes } from './bound.ts'
import type { Behaviour, Bursts } from './revision.ts'
import { type Scenario, type Step, asked } from './rollout.ts'

export interface Situation {
  readonly part: 'Healthy' | 'Worse' | 'Promotion' | 'Rollout'
  readonly name: string
  readonly scenario: Scenario
  /** Minutes below which no test can be on average, where that is known. */
  readonly boundMinutes?: number | null
}

export const traffics = [60, 200, 600, 2000, 6000] as const
export const multiples = [1.05, 1.2, 1.5, 2] as const

const canary = (weight: number): readonly Step[] => [{ weight, candidateReplicas: 1 }]
const threeSteps: readonly Step[] = [
  { weight: 0.05, candidateReplicas: 1 },
  { weight: 0.25, candidateReplicas: 3 },
  { weight: 0.5, candidateReplicas: 9 },
]

const stalls: Bursts = { everyS: 300, shortestS: 1, longestS: 1 }
const restarts: Bursts = { everyS: 1800, shortestS: 2, longestS: 6 }

const singles = (share: number): Behaviour => ({ share, leastShare: 0, bursts: [] })
const withBursts = (share: number, bursts: Bursts): Behaviour => ({ share, leastShare: 0, bursts: [bursts] })

const errorsFloor = { ratio: 1.25, floor: 0.01 }
const slowFloor = { ratio: 1.25, floor: 0.02 }
const ratioOnly = { ratio: 1.25, floor: 0 }
const base = { metric: 'Errors', stableReplicas: 9, requestsPerMinute: 6000, steps: canary(0.1) } as const

/** A share of the bound that comes in bursts of so many seconds, the rest each by itself. */
function bursty(share: number, part: number, seconds: number): Behaviour {
  const bursts = part === 0 ? [] : [{ everyS: seconds / (share * part), shortestS: seconds, longestS: seconds }]
  return { share: 0, leastShare: share * (1 - part), bursts }
}

function* healthy(): Generator<Situation> {
  const kinds = [
    { name: 'errors, floor 1 %', metric: 'Errors', tolerance: errorsFloor, like: withBursts(0.005, restarts) },
    { name: 'errors, no floor', metric: 'Errors', tolerance: ratioOnly, like: withBursts(0.005, restarts) },
    { name: 'slow, floor 2 %', metric: 'Slow', tolerance: slowFloor, like: withBursts(0.005, stalls) },
    { name: 'slow, no floor', metric: 'Slow', tolerance: ratioOnly, like: withBursts(0.005, stalls) },
  ] as const
  for (const { name, metric, tolerance, like } of kinds) {
    const alone = { ...base, stableReplicas: 1, metric, tolerance, stable: like, candidate: like }
    for (const requestsPerMinute of [600, 6000])
      yield {
        part: 'Healthy',
        name: `${name}, 10 % of ${requestsPerMinute}/min, one stable replica`,
        scenario: { ...alone, requestsPerMinute },
      }
    for (const requestsPerMinute of [60, 600, 6000, 60_000])
      for (const weight of tolerance.floor === 0 ? [0.05, 0.1] : [0.1]) {
        const scenario = {
          ...base,
          metric,
          tolerance,
          requestsPerMinute,
          steps: canary(weight),
          stable: like,
          candidate: like,
        }
        yield { part: 'Healthy', name: `${name}, ${100 * weight} % of ${requestsPerMinute}/min`, scenario }
      }
  }
}

function* worse(): Generator<Situation> {
  const minute = { candidate: 600, stable: 5400 }
  const add = (
    name: string,
    tolerance: Scenario['tolerance'],
    candidate: number,
    more: Partial<Scenario> = {},
  ): Situation => ({
    part: 'Worse',
    name,
    scenario: { ...base, tolerance, stable: singles(0.005), candidate: singles(candidate), ...more },
    boundMinutes: alarmBoundMinutes(minute, { candidate, stable: 0.005 }, tolerance),
  })
  yield add('tripled errors, floor 1 %', errorsFloor, 0.015)
  yield add('doubled errors, no floor', ratioOnly, 0.01)
  yield add('ten times the errors, floor 1 %', errorsFloor, 0.05)
  const restarting = { stable: withBursts(0.005, restarts), candidate: withBursts(0.015, restarts) }
  yield add('tripled errors, and replicas of both restart', errorsFloor, 0.015, restarting)
  yield add('tripled errors, from minute 20 on', errorsFloor, 0.015, { turnsBadAtS: 1200 })
  const stalling = { metric: 'Slow', stable: withBursts(0.005, stalls), candidate: withBursts(0.04, stalls) } as const
  yield add('4 % slow, and replicas of both stall, floor 2 %', slowFloor, 0.04, stalling)
}

/** The candidate's share is a multiple of what is tolerated, at each moment. */
function* promotion(): Generator<Situation> {
  const kinds = [
    { name: 'each by itself', part: 0, seconds: 0 },
    { name: 'half in bursts of 1 s', part: 0.5, seconds: 1 },
    { name: 'half in bursts of 4 s', part: 0.5, seconds: 4 },
    { name: 'all in bursts of 4 s', part: 1, seconds: 4 },
  ]
  const common = { ...base, steps: threeSteps }
  const stalling = withBursts(0.004, stalls)
  for (const requestsPerMinute of traffics) {
    // So few that no step ends within the hour: one kind says it.
    for (const { name, part, seconds } of requestsPerMinute < 100 ? kinds.slice(0, 1) : kinds)
      for (const multiple of multiples) {
        const candidate = bursty(multiple * errorsFloor.floor, part, seconds)
        const scenario = { ...common, requestsPerMinute, tolerance: errorsFloor, stable: singles(0.005), candidate }
        yield { part: 'Promotion', name: `floor 1 %, ${name}`, scenario }
      }
    for (const multiple of requestsPerMinute < 100 ? [] : multiples) {
      const candidate = bursty(multiple * errorsFloor.floor, 0.3, 1)
      const scenario = { ...common, requestsPerMinute, tolerance: errorsFloor, stable: stalling, candidate }
      yield { part: 'Promotion', name: 'floor 1 %, 30 % in stalls of 1 s, stable stalls too', scenario }
    }
    for (const multiple of multiples) {
      const candidate = singles(multiple * ratioOnly.ratio * 0.01)
      const scenario = { ...common, requestsPerMinute, tolerance: ratioOnly, stable: singles(0.01), candidate }
      yield { part: 'Promotion', name: 'no floor, stable has 1 %', scenario }
    }
  }
}

function* rollouts(): Generator<Situation> {
  for (const requestsPerMinute of traffics) {
    const add = (
      name: string,
      like: Behaviour,
      tolerance: Scenario['tolerance'],
      more: Partial<Scenario> = {},
    ): Situation => ({
      part: 'Rollout',
      name,
      scenario: { ...base, steps: threeSteps, requestsPerMinute, tolerance, stable: like, candidate: like, ...more },
    })
    const shares = { candidate: 0.005, stable: 0.005 }
    yield {
      ...add('0.5 % errors, floor 1 %', singles(0.005), errorsFloor),
      boundMinutes: proofBoundMinutes(threeSteps, requestsPerMinute, shares, errorsFloor, asked),
    }
    yield add('0.4 % errors, and replicas restart (0.6 % in all)', withBursts(0.004, restarts), errorsFloor)
    const slow = { metric: 'Slow' } as const
    yield add('0.5 % slow, and replicas stall (0.8 %), floor 2 %', withBursts(0.005, stalls), slowFloor, slow)
    const cold = { ...slow, warmUp: { share: 0.2, seconds: 60 } }
    yield add('the same, new replicas cold for 60 s', withBursts(0.005, stalls), slowFloor, cold)
    const notLeftOut = { ...slow, warmUp: { share: 0.2, seconds: 30 }, leftOutS: 0 }
    yield add('the same, cold for 30 s, none left out', withBursts(0.005, stalls), slowFloor, notLeftOut)
  }
}

export const situations: readonly Situation[] = [...healthy(), ...worse(), ...promotion(), ...rollouts()]

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PodObservation, type PodSamples, defaultReadinessLimits } from './pod.ts'
import {
  type PerPodInput,
  type Proposal,
  type Tolerance,
  proposeByAverage,
  proposeByTotal,
  proposeByTotalPerReplica,
  proposeByUtilization,
} from './proposal.ts'

const nowMs = 10_000_000
const limits = { cpuInitializationMs: 120_000, initialReadinessDelayMs: 10_000 }
const usual: Tolerance = { up: 0.1, down: 0.1 }

/** Ready for long, or unready and young: the two that upstream's tables are made of. */
function pod(index: number, state: 'ready' | 'unready' = 'ready'): PodObservation {
  return state === 'ready'
    ? {
        name: `p${index}`,
        phase: 'Running',
        deleting: false,
        ready: { status: 'True', sinceMs: nowMs - 600_000 },
        startedAtMs: nowMs - 600_000,
      }
    : {
        name: `p${index}`,
        phase: 'Running',
        deleting: false,
        ready: { status: 'False', sinceMs: nowMs - 30_000 },
        startedAtMs: nowMs - 60_000,
      }
}

const sampled = (values: readonly (number | undefined)[]): PodSamples =>
  new Map(
    values.flatMap((milli, index) =>
      milli === undefined ? [] : [[`p${index}`, { milli, atMs: nowMs, windowMs: 60_000 }] as const],
    ),
  )

interface Row {
  readonly current: number
  /** Absent: as many as `current`, all ready. */
  readonly pods?: readonly PodObservation[]
  readonly usages: readonly (number | undefined)[]
  readonly tolerance?: Tolerance
  readonly want: number
}

const around = ({ current, pods, usages, tolerance = usual }: Row, isCpu: boolean): PerPodInput => ({
  pods: pods ?? Array.from({ length: current }, (_, index) => pod(index)),
  samples: sampled(usages),
  currentReplicas: current,
  tolerance,
  ...limits,
  isCpu,
  nowMs,
})

const wanted = (proposal: Proposal): number =>
  proposal.kind === 'Valid' ? proposal.replicas : assert.fail(proposal.reason)

for (const [name, row] of Object.entries({
  'a third above the target adds a third': { current: 3, usages: [20_000, 10_000, 30_000], want: 4 },
  'an unready pod counts, where the metric is not CPU': {
    current: 3,
    pods: [pod(0, 'unready'), pod(1), pod(2)],
    usages: [50_000, 10_000, 30_000],
    want: 6,
  },
  'measurements of pods that nobody knows count in an average': {
    current: 4,
    usages: [4000, 9500, 3000, 7000, 3200, 2000],
    target: 1000,
    want: 20,
  },
  'under the target some go': { current: 5, usages: Array.from({ length: 5 }, () => 12_000), target: 20_000, want: 3 },
  'within the usual tolerance nothing moves': {
    current: 3,
    usages: [20_000, 21_000, 21_000],
    target: 20_000,
    want: 3,
  },
  'a smaller tolerance lets it move': {
    current: 3,
    usages: [20_000, 21_000, 21_000],
    target: 20_000,
    tolerance: { up: 0.01, down: 0.1 },
    want: 4,
  },
} satisfies Record<string, Row & { target?: number }>)) {
  test(`pods metric: ${name}`, () => {
    const target = 'target' in row ? row.target : 15_000
    assert.equal(wanted(proposeByAverage(around(row, false), target)), row.want)
  })
}

interface UtilizationRow extends Row {
  readonly requests: readonly number[]
  readonly targetPercent: number
}

for (const [name, row] of Object.entries({
  'measurements of pods that nobody knows do not count': {
    current: 4,
    usages: [4000, 9500, 3000, 7000, 3200, 2000],
    requests: [1000, 1000, 1000, 1000],
    targetPercent: 100,
    want: 24,
  },
  'a tolerance up of 8 % is passed by 9 %': {
    current: 3,
    usages: [1090, 1090, 1090],
    requests: [900, 1000, 1100],
    targetPercent: 100,
    tolerance: { up: 0.08, down: 0.1 },
    want: 4,
  },
  'a tolerance down of 36 % holds 35 %': {
    current: 3,
    usages: [650, 650, 650],
    requests: [900, 1000, 1100],
    targetPercent: 100,
    tolerance: { up: 0.1, down: 0.36 },
    want: 3,
  },
  'a tolerance down of 34 % does not': {
    current: 3,
    usages: [650, 650, 650],
    requests: [900, 1000, 1100],
    targetPercent: 100,
    tolerance: { up: 0.1, down: 0.34 },
    want: 2,
  },
  'without tolerance one percent moves it': {
    current: 3,
    usages: [909, 1010, 1111],
    requests: [900, 1000, 1100],
    targetPercent: 100,
    tolerance: { up: 0, down: 0 },
    want: 4,
  },
  'missing pods are taken to be busy on the way down': {
    current: 4,
    usages: [400, 95],
    requests: [1000, 1000, 1000, 1000],
    targetPercent: 100,
    want: 3,
  },
  'and idle on the way up': { current: 2, usages: [1900], requests: [1000, 1000], targetPercent: 100, want: 2 },
  'a missing pod stops a scale-down by one': {
    current: 2,
    usages: [600],
    requests: [1000, 1000],
    targetPercent: 100,
    want: 2,
  },
  'nothing moves on the target, however many are missing': {
    current: 2,
    usages: [1000],
    requests: [1000, 1000],
    targetPercent: 100,
    want: 2,
  },
  'an unready and a missing pod temper a scale-up': {
    current: 3,
    pods: [pod(0, 'unready'), pod(1), pod(2)],
    usages: [100, 2000],
    requests: [1000, 1000, 1000],
    targetPercent: 50,
    want: 4,
  },
  'an unready and a missing pod temper a scale-down': {
    current: 4,
    pods: [pod(0, 'unready'), pod(1), pod(2), pod(3)],
    usages: [100, 100, 100],
    requests: [1000, 1000, 1000, 1000],
    targetPercent: 50,
    want: 3,
  },
  'a target above 100 % is what missing pods are taken to use': {
    current: 4,
    pods: [pod(0, 'unready'), pod(1), pod(2), pod(3)],
    usages: [200, 100, 100],
    requests: [1000, 1000, 2000, 2000],
    targetPercent: 300,
    want: 2,
  },
  'a pod more than wanted during a rollout does not raise the count': {
    current: 2,
    pods: [pod(0), pod(1), pod(2)],
    usages: [100, 100],
    requests: [1000, 1000, 1000],
    targetPercent: 50,
    want: 2,
  },
} satisfies Record<string, UtilizationRow>)) {
  test(`cpu: ${name}`, () => {
    const requests = new Map(row.requests.map((milli, index) => [`p${index}`, milli]))
    const proposal = proposeByUtilization(around(row, true), { targetPercent: row.targetPercent, requests })
    assert.equal(wanted(proposal), row.want)
  })
}

const oneOfThree = [pod(0), pod(1, 'unready'), pod(2, 'unready')]
const readyPods = (count: number) => Array.from({ length: count }, (_, index) => pod(index))

test('a total for the service moves the ready pods by its ratio', () => {
  for (const [current, pods, value, target, want] of [
    [3, oneOfThree, 50_000, 10_000, 5],
    [3, oneOfThree, 8600, 4400, 2],
    [5, readyPods(5), 8600, 14_334, 3],
    // From nothing there are no pods to multiply: the ratio itself.
    [0, [], 25_000, 10_000, 3],
  ] as const) {
    const input = { pods, currentReplicas: current, statusReplicas: current, tolerance: usual }
    assert.equal(wanted(proposeByTotal(input, [value], target)), want)
  }
})

test('a total against a target for each replica is divided by it', () => {
  for (const [status, value, target, up, want] of [
    [3, 20_000, 5000, 0.1, 4],
    [5, 8600, 2867, 0.1, 3],
    [4, 20_166, 5000, 0.1, 4],
    [4, 20_208, 5000, 0.01, 5],
    [0, 20_000, 5000, 0.1, 4],
    [0, 0, 5000, 0.1, 0],
  ] as const) {
    const tolerance = { up, down: up }
    const input = { pods: [], currentReplicas: status, statusReplicas: status, tolerance }
    assert.equal(wanted(proposeByTotalPerReplica(input, [value], target)), want)
  }
})

test('several series are added up, and the largest integer is where that ends', () => {
  const input = { pods: readyPods(1), currentReplicas: 1, statusReplicas: 1, tolerance: usual }
  assert.equal(wanted(proposeByTotalPerReplica(input, [2000, 3000], 1000)), 5)
  const huge = proposeByTotal(input, [2 ** 63 - 1024, 2 ** 62], 1)
  assert.deepEqual(huge, { kind: 'Valid', replicas: 2 ** 31 - 1, usage: 2 ** 63 })
})

test('no data is no proposal, and says so', () => {
  const none: Row = { current: 2, usages: [], want: 0 }
  const reasons = [
    proposeByAverage(around(none, false), 1000),
    proposeByAverage(around({ ...none, pods: [] }, false), 1000),
    proposeByUtilization(around({ ...none, usages: [100] }, true), {
      targetPercent: 50,
      requests: new Map([['p0', 1]]),
    }),
    proposeByUtilization(around({ ...none, usages: [100] }, true), {
      targetPercent: 50,
      requests: new Map([
        ['p0', 0],
        ['p1', 0],
      ]),
    }),
    proposeByTotal({ pods: [], currentReplicas: 1, statusReplicas: 1, tolerance: usual }, [], 1000),
    proposeByTotalPerReplica({ pods: [], currentReplicas: 1, statusReplicas: 1, tolerance: usual }, [NaN], 1000),
  ].map((proposal) => (proposal.kind === 'Invalid' ? proposal.reason : assert.fail(`${proposal.replicas} replicas`)))
  assert.deepEqual(reasons, [
    'no ready pod has a measurement',
    'there are no pods',
    'pod p1 requests none of it',
    'no measurement belongs to a known pod',
    'the metric has no data',
    'the metric has no data',
  ])
})

test('when every pod reports, more use never asks for fewer replicas, and none move inside the tolerance', () => {
  const usage = fc.nat(10_000)
  const usages = fc.array(fc.tuple(usage, usage), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(usages, fc.integer({ min: 1, max: 5000 }), (pairs, target) => {
      const ask = (values: readonly number[]): number =>
        wanted(
          proposeByAverage(
            { ...around({ current: pairs.length, usages: values, want: 0 }, true), ...defaultReadinessLimits },
            target,
          ),
        )
      const less = pairs.map(([a, b]) => Math.min(a, b))
      const more = pairs.map(([a, b]) => Math.max(a, b))
      assert.ok(ask(less) <= ask(more))
      const average = Math.trunc(less.reduce((sum, value) => sum + value, 0) / less.length)
      if (average >= target * 0.9 && average <= target * 1.1) assert.equal(ask(less), pairs.length)
    }),
  )
})

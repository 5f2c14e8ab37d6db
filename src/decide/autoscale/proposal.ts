import { type ClassifyOptions, type PodObservation, type PodSamples, classifyPods, countReady } from './pod.ts'

/** What one metric asks for. `usage` is what it stands at, in the target's unit; totals and averages are cut to whole numbers. */
export type Proposal =
  | { readonly kind: 'Valid'; readonly replicas: number; readonly usage: number }
  | { readonly kind: 'Invalid'; readonly reason: string }

/** Shares of the target by which the metric may be off before anything moves. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

export const defaultTolerance: Tolerance = { up: 0.1, down: 0.1 }

export const maxReplicaCount = 2 ** 31 - 1
const maxMilli = 2n ** 63n - 1n

export interface PerPodInput extends ClassifyOptions {
  readonly pods: readonly PodObservation[]
  readonly samples: PodSamples
  readonly currentReplicas: number
  readonly tolerance: Tolerance
}

/** Percent of what the pods request. `requests` has thousandths by pod; a pod without one makes the metric invalid. */
export function proposeByUtilization(
  input: PerPodInput,
  { targetPercent, requests }: { readonly targetPercent: number; readonly requests: ReadonlyMap<string, number> },
): Proposal {
  const measure = (usages: ReadonlyMap<string, number>): Measure | undefined => {
    let used = 0n
    let requested = 0n
    for (const [name, milli] of usages) {
      const request = requests.get(name)
      if (request === undefined) continue
      used += BigInt(milli)
      requested += BigInt(request)
    }
    if (requested === 0n) return undefined
    const percent = Number((used * 100n) / requested)
    return { ratio: percent / targetPercent, usage: percent }
  }
  return proposePerPod(input, {
    measure,
    // On the way down a pod that says nothing is taken to use all it asked for, or the target where that is more.
    assumeBusy: (name) => Number((BigInt(requests.get(name) ?? 0) * BigInt(Math.max(100, targetPercent))) / 100n),
    complaint: () => {
      const without = input.pods.find(({ name }) => !requests.has(name))
      return without === undefined ? undefined : `pod ${without.name} requests none of it`
    },
  })
}

/** A plain average over the pods, in thousandths. */
export function proposeByAverage(input: PerPodInput, targetMilli: number): Proposal {
  return proposePerPod(input, {
    measure: (usages) => {
      let total = 0n
      for (const milli of usages.values()) total += BigInt(milli)
      const average = Number(total / BigInt(usages.size))
      return { ratio: average / targetMilli, usage: average }
    },
    assumeBusy: () => targetMilli,
    complaint: () => undefined,
  })
}

interface Measure {
  readonly ratio: number
  readonly usage: number
}

interface Metric {
  readonly measure: (usages: ReadonlyMap<string, number>) => Measure | undefined
  readonly assumeBusy: (pod: string) => number
  readonly complaint: () => string | undefined
}

function proposePerPod(input: PerPodInput, { measure, assumeBusy, complaint }: Metric): Proposal {
  const { pods, samples, currentReplicas, tolerance } = input
  if (pods.length === 0) return { kind: 'Invalid', reason: 'there are no pods' }
  const { counted, unready, missing, ignored } = classifyPods(pods, samples, input)
  const usages = new Map<string, number>()
  for (const [name, { milli }] of samples) if (!ignored.has(name) && !unready.has(name)) usages.set(name, milli)
  if (usages.size === 0) return { kind: 'Invalid', reason: 'no ready pod has a measurement' }
  const wrong = complaint()
  if (wrong !== undefined) return { kind: 'Invalid', reason: wrong }
  const first = measure(usages)
  if (first === undefined) return { kind: 'Invalid', reason: 'no measurement belongs to a known pod' }
  const { ratio, usage } = first
  const keep: Proposal = { kind: 'Valid', replicas: currentReplicas, usage }

  const fillsUnready = unready.size > 0 && ratio > 1
  if (!fillsUnready && missing.size === 0) {
    return isWithin(ratio, tolerance) ? keep : { kind: 'Valid', replicas: ceilReplicas(ratio * counted), usage }
  }
  // What is not known is assumed to speak against the move: busy on the way down, idle on the way up.
  if (ratio < 1) for (const name of missing) usages.set(name, assumeBusy(name))
  if (ratio > 1) for (const name of missing) usages.set(name, 0)
  if (fillsUnready) for (const name of unready) usages.set(name, 0)
  const second = measure(usages)
  if (second === undefined) return { kind: 'Invalid', reason: 'no measurement belongs to a known pod' }
  const turned = (ratio < 1 && second.ratio > 1) || (ratio > 1 && second.ratio < 1)
  if (turned || isWithin(second.ratio, tolerance)) return keep
  const replicas = ceilReplicas(second.ratio * usages.size)
  const contradicts =
    (second.ratio < 1 && replicas > currentReplicas) || (second.ratio > 1 && replicas < currentReplicas)
  return contradicts ? keep : { kind: 'Valid', replicas, usage }
}

export interface TotalInput {
  readonly pods: readonly PodObservation[]
  /** Wanted now. */
  readonly currentReplicas: number
  /** Existing now. */
  readonly statusReplicas: number
  readonly tolerance: Tolerance
}

/** One number for the whole service against a target for the whole service: the share by which it is off moves the ready pods. */
export function proposeByTotal(input: TotalInput, seriesMilli: readonly number[], targetMilli: number): Proposal {
  const total = addUp(seriesMilli)
  if (total === undefined) return noData
  const ratio = total / targetMilli
  const usage = total
  if (input.currentReplicas === 0) return { kind: 'Valid', replicas: ceilReplicas(ratio), usage }
  if (isWithin(ratio, input.tolerance)) return { kind: 'Valid', replicas: input.currentReplicas, usage }
  if (input.pods.length === 0) return { kind: 'Invalid', reason: 'there are no pods' }
  return { kind: 'Valid', replicas: ceilReplicas(ratio * countReady(input.pods)), usage }
}

/** One number for the whole service against a target for each replica. From 0 replicas it goes straight to what is needed. */
export function proposeByTotalPerReplica(
  { statusReplicas, tolerance }: TotalInput,
  seriesMilli: readonly number[],
  targetMilli: number,
): Proposal {
  const total = addUp(seriesMilli)
  if (total === undefined) return noData
  const usage = Math.ceil(total / statusReplicas)
  // 0 replicas make it Infinity or NaN: neither is within.
  const ratio = total / (targetMilli * statusReplicas)
  if (isWithin(ratio, tolerance)) return { kind: 'Valid', replicas: statusReplicas, usage }
  return { kind: 'Valid', replicas: ceilReplicas(total / targetMilli), usage }
}

/** No data is not zero. */
const noData: Proposal = { kind: 'Invalid', reason: 'the metric has no data' }

function addUp(seriesMilli: readonly number[]): number | undefined {
  if (seriesMilli.length === 0 || !seriesMilli.every(Number.isFinite)) return undefined
  let total = 0n
  for (const milli of seriesMilli) {
    total += BigInt(Math.trunc(milli))
    if (total > maxMilli) return Number(maxMilli)
  }
  return Number(total)
}

function isWithin(ratio: number, { up, down }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

/** Kubernetes guards this against overflow for totals only; beyond it the count of a per-pod metric there is arbitrary. */
function ceilReplicas(replicas: number): number {
  return Math.min(Math.ceil(replicas), maxReplicaCount)
}

/**
 * What the autoscaler sees of one pod, and of one replica of the local engine: the same fields. Times are milliseconds since
 * 1970. Source of every rule in this folder: the horizontal pod autoscaler of Kubernetes 1.35.4 (`pkg/controller/podautoscaler`).
 */
export interface PodObservation {
  readonly name: string
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** It was told to end. */
  readonly deleting: boolean
  /** The Ready condition; null: none was reported yet. */
  readonly ready: { readonly status: 'True' | 'False' | 'Unknown'; readonly sinceMs: number } | null
  readonly startedAtMs: number | null
}

/** Of one pod, in thousandths of the metric's unit: whole numbers. */
export interface PodSample {
  readonly milli: number
  /** End of the time it was measured over. */
  readonly atMs: number
  readonly windowMs: number
}

export type PodSamples = ReadonlyMap<string, PodSample>

export interface ReadinessLimits {
  /** Samples of CPU from a pod younger than this may be of its start. */
  readonly cpuInitializationMs: number
  /** A pod whose Ready condition last changed this soon after its start has never been ready. */
  readonly initialReadinessDelayMs: number
}

/** The controller manager's own. */
export const defaultReadinessLimits: ReadinessLimits = { cpuInitializationMs: 300_000, initialReadinessDelayMs: 30_000 }

export interface PodClasses {
  readonly counted: number
  readonly unready: ReadonlySet<string>
  readonly missing: ReadonlySet<string>
  readonly ignored: ReadonlySet<string>
}

export interface ClassifyOptions extends ReadinessLimits {
  /** CPU alone looks at readiness: starting costs CPU, and that says nothing of the load. */
  readonly isCpu: boolean
  readonly nowMs: number
}

/** The first rule that fits decides. */
export function classifyPods(
  pods: readonly PodObservation[],
  samples: PodSamples,
  options: ClassifyOptions,
): PodClasses {
  const unready = new Set<string>()
  const missing = new Set<string>()
  const ignored = new Set<string>()
  let counted = 0
  for (const pod of pods) {
    const sample = samples.get(pod.name)
    if (pod.deleting || pod.phase === 'Failed') ignored.add(pod.name)
    else if (pod.phase === 'Pending') unready.add(pod.name)
    else if (sample === undefined) missing.add(pod.name)
    else if (options.isCpu && isStarting(pod, sample, options)) unready.add(pod.name)
    else counted++
  }
  return { counted, unready, missing, ignored }
}

function isStarting({ ready, startedAtMs }: PodObservation, sample: PodSample, options: ClassifyOptions): boolean {
  if (ready === null || startedAtMs === null) return true
  const isYoung = startedAtMs + options.cpuInitializationMs > options.nowMs
  if (isYoung) return ready.status === 'False' || sample.atMs < ready.sinceMs + sample.windowMs
  return ready.status === 'False' && startedAtMs + options.initialReadinessDelayMs > ready.sinceMs
}

export function countReady(pods: readonly PodObservation[]): number {
  return pods.filter(({ phase, ready }) => phase === 'Running' && ready?.status === 'True').length
}

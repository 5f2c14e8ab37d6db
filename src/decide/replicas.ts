/**
 * One look at the replicas of a service, and what to do next. A change of revision is rolling with a surge of one: a new
 * replica serves before an old one drains. Ready before weight, drain before terminate.
 */
export interface ReplicaObservation {
  readonly name: string
  readonly revision: number
  /** `Draining`: told to end. `Waiting`: has no process; one is started when it is due. */
  readonly phase: 'Starting' | 'Ready' | 'Unready' | 'Draining' | 'Waiting'
  /** The gateway has it in the route. */
  readonly inRoute: boolean
  /** `Retire`: it goes for good. `Restart`: its process ends and another takes its place. */
  readonly ending: 'Retire' | 'Restart' | null
  readonly startedAtMs: number
  /** When a `Waiting` one starts, when a `Draining` one is killed. Monotonic. */
  readonly dueAtMs: number
  /** Has proven ready once. */
  readonly proven: boolean
  /** Failures in a row. */
  readonly failures: number
  /** No further try can help. */
  readonly hopeless: boolean
}

export interface ReplicaSetObservation {
  /** Monotonic. */
  readonly nowMs: number
  /** 0: the service goes away. */
  readonly desired: number
  /** The one wanted. */
  readonly revision: number
  readonly replicas: readonly ReplicaObservation[]
}

export type ReplicaAction =
  /** A new replica of the wanted revision. */
  | { readonly kind: 'Start' }
  | {
      /** `Forget` a retired one without process. `Kill` what did not end in time. `Restart` starts a process in its place. */
      readonly kind: 'AddEndpoint' | 'RemoveEndpoint' | 'Retire' | 'Drain' | 'Kill' | 'Restart' | 'Forget'
      readonly replica: string
    }
  /** The wanted revision never became ready while an older one serves: go back to that one. */
  | { readonly kind: 'Reject'; readonly revision: number; readonly replica: string }

/** Failed starts after which a revision that never became ready is given up. */
const maxFailedStarts = 3
const surge = 1

/** No action: wait. Called again after each change and at short intervals. */
export function decideReplicas(observation: ReplicaSetObservation): ReplicaAction[] {
  const each = observation.replicas.flatMap((replica) => careFor(replica, observation.nowMs) ?? [])
  return [...each, ...(findReject(observation) ?? changeSet(observation))]
}

function careFor(replica: ReplicaObservation, nowMs: number): ReplicaAction | undefined {
  const { name, phase, ending, inRoute, dueAtMs } = replica
  const routable = phase === 'Ready' && ending === null
  if (inRoute !== routable) return { kind: routable ? 'AddEndpoint' : 'RemoveEndpoint', replica: name }
  if (phase === 'Waiting') {
    if (ending === 'Retire') return { kind: 'Forget', replica: name }
    return dueAtMs <= nowMs ? { kind: 'Restart', replica: name } : undefined
  }
  if (phase === 'Draining') return dueAtMs <= nowMs ? { kind: 'Kill', replica: name } : undefined
  return ending === null ? undefined : { kind: 'Drain', replica: name }
}

function findReject({ desired, revision, replicas }: ReplicaSetObservation): ReplicaAction[] | undefined {
  if (desired === 0 || !replicas.some((replica) => replica.revision !== revision && isServing(replica)))
    return undefined
  const failed = replicas.find(
    (replica) =>
      replica.revision === revision &&
      replica.ending !== 'Retire' &&
      !replica.proven &&
      (replica.hopeless || replica.failures >= maxFailedStarts),
  )
  return failed === undefined ? undefined : [{ kind: 'Reject', revision, replica: failed.name }]
}

function changeSet({ desired, revision, replicas }: ReplicaSetObservation): ReplicaAction[] {
  const staying = replicas.filter((replica) => replica.ending !== 'Retire')
  const current = staying.filter((replica) => replica.revision === revision)
  const old = staying.filter((replica) => replica.revision !== revision)

  const missing = desired - staying.length
  if (missing > 0) return Array.from({ length: missing }, () => ({ kind: 'Start' }) as const)
  const retired = [...chooseOld(old, current, desired), ...chooseSurplus(current, desired)]
  if (retired.length > 0) return retired.map(({ name }) => ({ kind: 'Retire', replica: name }) as const)
  // One by one: the next new replica only when those before it serve.
  const roomForOne = staying.length < desired + surge && current.length < desired && current.every(isServing)
  return old.length > 0 && roomForOne ? [{ kind: 'Start' }] : []
}

/** Old replicas that are not needed any more: a serving one goes only when enough others serve. */
function chooseOld(
  old: readonly ReplicaObservation[],
  current: readonly ReplicaObservation[],
  desired: number,
): ReplicaObservation[] {
  const chosen: ReplicaObservation[] = []
  let remaining = old.length
  let serving = [...old, ...current].filter(isServing).length
  const newServing = current.filter(isServing).length
  for (const replica of old.toSorted(leastUseful)) {
    const spare = isServing(replica) ? serving - 1 >= desired : newServing + remaining - 1 >= desired
    if (!spare) continue
    chosen.push(replica)
    remaining--
    if (isServing(replica)) serving--
  }
  return chosen
}

function chooseSurplus(current: readonly ReplicaObservation[], desired: number): ReplicaObservation[] {
  return current.toSorted(leastUseful).slice(0, Math.max(0, current.length - desired))
}

/** Those that do not serve first, then the newest: the oldest have the warmest caches and the longest proof. */
function leastUseful(a: ReplicaObservation, b: ReplicaObservation): number {
  return Number(isServing(a)) - Number(isServing(b)) || b.startedAtMs - a.startedAtMs
}

export function isServing({ phase, inRoute, ending }: ReplicaObservation): boolean {
  return phase === 'Ready' && inRoute && ending === null
}

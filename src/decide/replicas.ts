/**
 * One look at the replicas of a service, and what to do next so that each revision has as many as it should.
 * Ready before weight, drain before terminate. How many each should have is the rollout's business.
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

/** How many replicas a revision should have; 0, or not named at all: none, and those that are there go. */
export interface WantedRevision {
  readonly revision: number
  readonly replicas: number
  /** They take requests; false: they only stand ready. */
  readonly routed: boolean
}

export interface ReplicaSetObservation {
  /** Monotonic. */
  readonly nowMs: number
  readonly wanted: readonly WantedRevision[]
  readonly replicas: readonly ReplicaObservation[]
}

export type ReplicaAction =
  | { readonly kind: 'Start'; readonly revision: number }
  | {
      /** `Forget` a retired one without process. `Kill` what did not end in time. `Restart` starts a process in its place. */
      readonly kind: 'AddEndpoint' | 'RemoveEndpoint' | 'Retire' | 'Drain' | 'Kill' | 'Restart' | 'Forget'
      readonly replica: string
    }

/** Failed starts after which nobody expects a revision that never became ready to do so. */
const maxFailedStarts = 3

/** No action: wait. Called again after each change and at short intervals. */
export function decideReplicas({ nowMs, wanted, replicas }: ReplicaSetObservation): ReplicaAction[] {
  const routed = new Set(wanted.filter((one) => one.routed).map(({ revision }) => revision))
  const sizing = resize(wanted, replicas)
  const retired = new Set(sizing.flatMap((action) => (action.kind === 'Retire' ? [action.replica] : [])))
  const each = replicas.flatMap((replica) => careFor(replica, routed.has(replica.revision), nowMs) ?? [])
  // No process is started only to be told to end.
  return [...each.filter((action) => action.kind !== 'Restart' || !retired.has(action.replica)), ...sizing]
}

function careFor(replica: ReplicaObservation, routed: boolean, nowMs: number): ReplicaAction | undefined {
  const { name, phase, ending, inRoute, dueAtMs } = replica
  const routable = routed && phase === 'Ready' && ending === null
  if (inRoute !== routable) return { kind: routable ? 'AddEndpoint' : 'RemoveEndpoint', replica: name }
  if (phase === 'Waiting') {
    if (ending === 'Retire') return { kind: 'Forget', replica: name }
    return dueAtMs <= nowMs ? { kind: 'Restart', replica: name } : undefined
  }
  if (phase === 'Draining') return dueAtMs <= nowMs ? { kind: 'Kill', replica: name } : undefined
  return ending === null ? undefined : { kind: 'Drain', replica: name }
}

function resize(wanted: readonly WantedRevision[], replicas: readonly ReplicaObservation[]): ReplicaAction[] {
  const staying = Map.groupBy(
    replicas.filter(({ ending }) => ending !== 'Retire'),
    ({ revision }) => revision,
  )
  const sizes = new Map(wanted.map(({ revision, replicas }) => [revision, replicas]))
  for (const revision of staying.keys()) if (!sizes.has(revision)) sizes.set(revision, 0)
  return [...sizes].flatMap(([revision, size]): ReplicaAction[] => {
    const present = staying.get(revision) ?? []
    const surplus = present.toSorted(leastUseful).slice(0, Math.max(0, present.length - size))
    const missing = Math.max(0, size - present.length)
    return [
      ...Array.from({ length: missing }, () => ({ kind: 'Start', revision }) as const),
      ...surplus.map(({ name }) => ({ kind: 'Retire', replica: name }) as const),
    ]
  })
}

/** One that has never been ready and gives no reason to expect it. */
export function isGivenUp({ ending, proven, hopeless, failures }: ReplicaObservation): boolean {
  return ending !== 'Retire' && !proven && (hopeless || failures >= maxFailedStarts)
}

/** It could take requests, whether or not it is meant to. */
export function isUsable({ phase, ending }: ReplicaObservation): boolean {
  return phase === 'Ready' && ending === null
}

/** Those that do not serve first, then the newest: the oldest have the warmest caches and the longest proof. */
function leastUseful(a: ReplicaObservation, b: ReplicaObservation): number {
  return usefulness(a) - usefulness(b) || b.startedAtMs - a.startedAtMs
}

function usefulness(replica: ReplicaObservation): number {
  return Number(isUsable(replica)) + Number(isServing(replica))
}

export function isServing(replica: ReplicaObservation): boolean {
  return isUsable(replica) && replica.inRoute
}

import assert from 'node:assert/strict'
import type { ServiceStatus } from '../../../src/control/api.ts'
import type { ServiceControl } from '../../../src/control/service-control.ts'
import type { ModelServiceDocument } from '../../../src/spec/schema/model-service.ts'

type Spec = ModelServiceDocument['spec']

/** What a sentence wants of a service, in words that hold anywhere. */
export interface Wish extends Pick<Spec, 'autoscaling' | 'replicas' | 'paused'> {
  /** One variable of the environment, by which a revision is known. */
  readonly colour?: string
  /** Each replica ends at its start. */
  readonly isBroken?: boolean
}

/** Where services run, with what a test has to know of it beyond the one interface. */
export interface BehaviourPlace {
  readonly control: ServiceControl
  readonly ways: Ways
  /** How the command line reaches it. */
  readonly flags: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** As `up` or `deploy` do it; resolves when it serves, or when the place has given it up. */
  apply(name: string, wish: Wish): Promise<void>
  /** The colours that replicas which serve were really given. */
  readColours(name: string): Promise<readonly string[]>
  /** What is still there of a service that looked like this. */
  listRest(last: ServiceStatus): Promise<readonly string[]>
}

/** Where the two differ on purpose. */
export interface Ways {
  /** A rollback makes the earlier revision serve under its own number, or a new revision that is like it. */
  readonly rollback: 'OldNumber' | 'NewNumber'
  /** What was given up and is applied once more, unchanged. */
  readonly rejectedAgain: 'Refused' | 'Tried'
  /** After that: an engine still has a spec that it does not serve, a Deployment has the earlier one again. */
  readonly givenUp: 'Degraded' | 'Ready'
  /** Steps, held and let go: an order to a Deployment has none. */
  readonly steps: 'Taken' | 'Refused'
  /** Whether each replica tells its processor time and memory: KWOK's have none, and a figure is not made up. */
  readonly figures: 'Known' | 'Unknown'
  /** What it cannot do, and why: sentences that need it are skipped. */
  readonly lacks: { readonly answers?: string }
}

const limitMs = 40_000

/** The first look at which this is so; at most 40 s, then the last look is in the failure. */
export async function until(
  { control }: Pick<BehaviourPlace, 'control'>,
  name: string,
  isSo: (status: ServiceStatus) => boolean,
): Promise<ServiceStatus> {
  let last: ServiceStatus | undefined
  const signal = AbortSignal.timeout(limitMs)
  try {
    for await (const status of control.watch(name, signal)) {
      last = status
      if (isSo(status)) return status
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  assert.fail(
    `${signal.aborted ? `not within ${limitMs} ms` : 'it is gone'}; last seen: ${JSON.stringify(last, null, 1)}`,
  )
}

/** Nothing is on its way any more; also after something was given up, when all replicas of the one before serve. */
export function isCalm({ phase, rollout, rejected, replicas, instances, revisions }: ServiceStatus): boolean {
  // One that was applied, and whose rollout has not begun.
  if (revisions.some(({ role }) => role === 'Candidate')) return false
  const isThere = phase === 'Ready' || phase === 'Idle' || (phase === 'Degraded' && rejected !== null)
  return isThere && rollout === null && instances.length === replicas.desired && replicas.ready === replicas.desired
}

/** Everything that is seen of a service from now until `stop`. */
export function startWatching(
  { control }: Pick<BehaviourPlace, 'control'>,
  name: string,
): { stop(): Promise<readonly ServiceStatus[]> } {
  const ended = new AbortController()
  const seen: ServiceStatus[] = []
  const watching = (async (): Promise<void> => {
    try {
      for await (const status of control.watch(name, ended.signal)) seen.push(status)
    } catch (error) {
      if (!ended.signal.aborted) throw error
    }
  })()
  return {
    stop: async () => {
      ended.abort()
      await watching
      return seen
    },
  }
}

/** One process or pod: a name may come again. */
export function identify({ instances }: ServiceStatus): readonly string[] {
  return instances.map(({ name, pid, startedAtMs }) => [name, pid ?? '', startedAtMs].join(' '))
}

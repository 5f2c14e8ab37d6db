import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import type { PanicState } from '../../decide/autoscale/burst.ts'
import type { AutoscaleState, MetricProposal } from '../../decide/autoscale/step.ts'
import type { RolloutPlan } from '../../decide/rollout/plan.ts'
import type { Cause, RolloutState } from '../../decide/rollout/state.ts'
import { resolveRollout } from '../../spec/resolve/resolve-rollout.ts'
import type { Service } from '../../spec/service.ts'
import type { Store } from '../../store/store.ts'
import type { FailureStatus } from '../service-status.ts'

/** What the engine must know again after it was killed. Written before the next look at the processes. */

export interface ServiceRecord {
  readonly name: string
  readonly file: string
  readonly host: string
  readonly port: number
  /** The overlay it was applied with; null: none. */
  readonly environment: string | null
  /** As applied last: what holds at once, such as the number of replicas, is read here. */
  readonly applied: Service
  /** Number of the revision that was applied last. */
  readonly target: number
  /** Number of the revision that serves; another one takes its place through a rollout. */
  readonly stable: number
  /** Those two, what replicas still run, and earlier ones that a rollback can go to. */
  readonly revisions: readonly RevisionRecord[]
  /** The one that is going on. */
  readonly rollout: RolloutRecord | null
  /** Standing ready without requests for a while after a canary took their place. */
  readonly warm: readonly WarmRecord[]
  /** Those that have ended, oldest first. */
  readonly history: readonly EndedRollout[]
  /** Not tried again until the spec changes or a person says so. */
  readonly rejected: RejectedRecord | null
  readonly stopping: boolean
  /** Another number of replicas than the spec's: the autoscaler's, or one set by hand. */
  readonly scale: ScaleRecord | null
  readonly lastFailure: FailureStatus | null
}

export interface RolloutRecord {
  readonly plan: RolloutPlan
  readonly state: RolloutState
  readonly startedAtMs: number
}

export interface WarmRecord {
  readonly revision: number
  readonly replicas: number
  readonly untilMs: number
}

export interface RejectedRecord {
  readonly revision: number
  readonly hash: string
  readonly cause: Cause
  readonly atMs: number
}

export interface EndedRollout {
  readonly id: string
  readonly kind: RolloutPlan['kind']
  readonly from: number
  readonly to: number
  /** Of the revision it went to. */
  readonly modelDigest: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly outcome: 'Promoted' | 'Aborted'
  readonly cause: Cause | null
}

export interface ScaleRecord {
  readonly replicas: number
  /** Why it became that many, and when; null: it began with as many. */
  readonly reason: string
  readonly changedAtMs: number | null
  /** Null where nothing scales by itself. */
  readonly autoscaler: AutoscalerRecord | null
}

export interface AutoscalerRecord {
  readonly state: AutoscaleState
  readonly panic: PanicState | null
  /** What each metric asked for last. */
  readonly proposals: readonly MetricProposal[]
  readonly atMs: number
}

export interface RevisionRecord {
  readonly number: number
  /** Equal for equal specs with equal model files. */
  readonly hash: string
  readonly service: Service
  /** `sha256:…` over the model's files. */
  readonly modelDigest: string
  /** The copy that its replicas load. */
  readonly modelPath: string
  readonly createdAtMs: number
  /** It has served as the stable revision. */
  readonly proven: boolean
}

export interface ReplicaRecord {
  readonly name: string
  readonly service: string
  readonly revision: number
  /** Null before the first start, and while it waits. */
  readonly identity: ProcessIdentity | null
  readonly startedAtMs: number | null
  readonly restarts: number
  readonly failures: number
  readonly hopeless: boolean
  readonly proven: boolean
  readonly ending: 'Retire' | 'Restart' | null
  readonly nextStartAtMs: number | null
  readonly lastFailure: FailureStatus | null
}

export interface GatewayRecord {
  readonly identity: ProcessIdentity | null
  readonly restarts: number
}

export function findRevision({ revisions, name }: ServiceRecord, number: number): RevisionRecord {
  const found = revisions.find((revision) => revision.number === number)
  if (found === undefined) throw new Error(`service ${name} has no revision ${number}`)
  return found
}

export function countDesired({ stopping, scale, applied }: ServiceRecord): number {
  return stopping ? 0 : (scale?.replicas ?? applied.replicas)
}

/** As it was written before there were rollouts: one revision wanted, and the others on their way out. */
interface EarlierService extends Pick<
  ServiceRecord,
  'name' | 'file' | 'host' | 'port' | 'target' | 'stopping' | 'lastFailure'
> {
  readonly scale?: ScaleRecord | null
  readonly revisions: readonly (Pick<RevisionRecord, 'number' | 'hash'> & {
    readonly service: Omit<Service, 'paused' | 'rollout'>
  })[]
}

/** What an earlier version left running goes on under this one; its models are still where the spec says. */
function upgradeService(stored: ServiceRecord | EarlierService): ServiceRecord {
  if ('applied' in stored) return stored
  const complete = (service: Omit<Service, 'paused' | 'rollout'>): Service => ({
    paused: false,
    rollout: resolveRollout({}, '/'),
    ...service,
  })
  const revisions = stored.revisions.map(({ number, hash, service }) => ({
    number,
    hash,
    service: complete(service),
    modelDigest: '',
    modelPath: service.model.path,
    createdAtMs: 0,
    proven: true,
  }))
  const wanted = revisions.find(({ number }) => number === stored.target)
  if (wanted === undefined) throw new Error(`service ${stored.name} has no revision ${stored.target}`)
  const { scale = null } = stored
  return {
    ...stored,
    environment: null,
    applied: wanted.service,
    stable: stored.target,
    revisions,
    rollout: null,
    warm: [],
    history: [],
    rejected: null,
    scale,
  }
}

const gatewayKey = 'gateway'

export interface Records {
  readonly services: { list(): ServiceRecord[]; put(record: ServiceRecord): void; delete(name: string): void }
  readonly replicas: { list(): ReplicaRecord[]; put(record: ReplicaRecord): void; delete(name: string): void }
  readonly gateway: { get(): GatewayRecord; put(record: GatewayRecord): void }
}

/** Only this engine's own code writes the store, and its tables have a version: what it returns has the types put in. */
export function createRecords(store: Store): Records {
  return {
    services: {
      list: () => store.list('service').map(({ value }) => upgradeService(value as ServiceRecord | EarlierService)),
      put: (record) => store.put('service', record.name, record),
      delete: (name) => void store.delete('service', name),
    },
    replicas: {
      list: () => store.list('replica').map(({ value }) => value as ReplicaRecord),
      put: (record) => store.put('replica', record.name, record),
      delete: (name) => void store.delete('replica', name),
    },
    gateway: {
      get: () => (store.get('process', gatewayKey) as GatewayRecord | undefined) ?? { identity: null, restarts: 0 },
      put: (record) => store.put('process', gatewayKey, record),
    },
  }
}

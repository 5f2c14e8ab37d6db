import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import type { PanicState } from '../../decide/autoscale/burst.ts'
import type { AutoscaleState, MetricProposal } from '../../decide/autoscale/step.ts'
import type { Service } from '../../spec/service.ts'
import type { Store } from '../../store/store.ts'
import type { FailureStatus } from '../service-status.ts'

/** What the engine must know again after it was killed. Written before the next look at the processes. */

export interface ServiceRecord {
  readonly name: string
  readonly file: string
  readonly host: string
  readonly port: number
  /** Number of the revision wanted. */
  readonly target: number
  /** The wanted one and those that replicas still run. */
  readonly revisions: readonly RevisionRecord[]
  readonly rejected: { readonly revision: number; readonly failure: FailureStatus } | null
  readonly stopping: boolean
  /** Another number of replicas than the spec's: the autoscaler's, or one set by hand. */
  readonly scale: ScaleRecord | null
  readonly lastFailure: FailureStatus | null
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

export function findWanted({ revisions, target, name }: ServiceRecord): RevisionRecord {
  const wanted = revisions.find(({ number }) => number === target)
  if (wanted === undefined) throw new Error(`service ${name} has no revision ${target}`)
  return wanted
}

export function countDesired(record: ServiceRecord): number {
  return record.stopping ? 0 : (record.scale?.replicas ?? findWanted(record).service.replicas)
}

/** Records from before there was scaling have no such field. */
const noScale: Partial<ServiceRecord> = { scale: null }

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
      list: () => store.list('service').map(({ value }) => ({ ...noScale, ...(value as ServiceRecord) })),
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

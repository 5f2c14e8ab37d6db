import { type DrainTimings, planDrain } from '../../decide/drain.ts'
import type { ReplicaConfig } from '../../serve/replica-config.ts'
import { planSessions } from '../../spec/model/model-sessions.ts'
import type { Service } from '../../spec/service.ts'
import type { ProcessFiles } from '../paths.ts'
import type { ReplicaRecord } from '../state/records.ts'

export interface ReplicaConfigParts {
  readonly record: ReplicaRecord
  readonly service: Service
  /** Of the copy that belongs to the revision. */
  readonly modelPath: string
  readonly files: ProcessFiles
  readonly host: string
  readonly lease: NonNullable<ReplicaConfig['lease']>
}

/**
 * The gateway confirms that it sends nothing more before a replica is told to end, and a cluster waits before it tells a
 * container: nothing has to spread first.
 */
export function drainOf({ lifecycle, serving }: Service): DrainTimings {
  return planDrain({
    drainTimeoutMs: lifecycle.drainTimeoutMs,
    requestTimeoutMs: serving.timeoutMs,
    propagationMs: 0,
  })
}

export function createReplicaConfig({
  record,
  service,
  modelPath,
  files,
  host,
  lease,
}: ReplicaConfigParts): ReplicaConfig {
  return {
    service: record.service,
    replica: record.name,
    revision: record.revision,
    modelPath,
    modelName: service.model.name,
    ...planSessions(service),
    host,
    port: 0,
    metricsPort: 0,
    ...service.serving,
    drainTimeoutMs: drainOf(service).drainMs,
    logFile: files.log,
    announceFile: files.announce,
    lease,
  }
}

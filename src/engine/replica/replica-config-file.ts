import type { ReplicaConfig } from '../../serve/replica-config.ts'
import type { Service } from '../../spec/service.ts'
import type { ProcessFiles } from '../paths.ts'
import type { ReplicaRecord } from '../records.ts'

export interface ReplicaConfigParts {
  readonly record: ReplicaRecord
  readonly service: Service
  readonly files: ProcessFiles
  readonly host: string
  readonly lease: NonNullable<ReplicaConfig['lease']>
}

/** Asked for threads: one session that has them. Otherwise a session of one thread for each whole core. */
export function createReplicaConfig({ record, service, files, host, lease }: ReplicaConfigParts): ReplicaConfig {
  const { threads } = service.runtime
  return {
    service: record.service,
    replica: record.name,
    revision: record.revision,
    modelPath: service.model.path,
    modelName: service.model.name,
    workers: threads > 0 ? 1 : Math.max(1, Math.floor(service.resources.cpuMillis / 1000)),
    threadsPerWorker: Math.max(1, threads),
    host,
    port: 0,
    metricsPort: 0,
    ...service.serving,
    drainTimeoutMs: service.lifecycle.drainTimeoutMs,
    logFile: files.log,
    announceFile: files.announce,
    lease,
  }
}

import { resolveRollout } from '../../src/spec/resolve/resolve-rollout.ts'
import type { RevisionRecord, ServiceRecord } from '../../src/engine/state/records.ts'
import type { Service } from '../../src/spec/service.ts'

/** A small service as values: each test changes what it is about. */
export function sampleService(change: Partial<Service> = {}): Service {
  return {
    name: 'cats',
    model: { path: '/m', name: 'cats', format: 'onnx' },
    runtime: { kind: 'onnx', threads: 0 },
    env: [],
    serving: { timeoutMs: 1000, maxBodyBytes: 1, maxQueuedRows: 1 },
    resources: { cpuMillis: 1000 },
    replicas: 1,
    lifecycle: { startupTimeoutMs: 1000, drainTimeoutMs: 1000 },
    paused: false,
    rollout: resolveRollout({}, '/'),
    ...change,
  }
}

/** One that has served. */
export function sampleRevision(number: number, change: Partial<RevisionRecord> = {}): RevisionRecord {
  return {
    number,
    hash: `hash-${number}`,
    service: sampleService(),
    modelDigest: `sha256:${number}`,
    modelPath: `/kept/${number}`,
    createdAtMs: 0,
    proven: true,
    ...change,
  }
}

/** As an engine would have written it: these revisions have served, the last one does. */
export function sampleRecord(
  service: Service,
  revisions: readonly RevisionRecord[],
  change: Partial<ServiceRecord> = {},
): ServiceRecord {
  const stable = revisions.at(-1)?.number ?? 0
  return {
    name: service.name,
    file: '/towline.yaml',
    host: '127.0.0.1',
    port: 8080,
    environment: null,
    applied: service,
    target: stable,
    stable,
    revisions,
    rollout: null,
    warm: [],
    history: [],
    rejected: null,
    stopping: false,
    scale: null,
    lastFailure: null,
    ...change,
  }
}

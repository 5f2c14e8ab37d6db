import type { RevisionRecord, ServiceRecord } from '../../src/engine/state/records.ts'
import { resolveRollout } from '../../src/spec/resolve/resolve-rollout.ts'
import type { Service } from '../../src/spec/service.ts'

export interface RecordShape {
  readonly stable: number
  readonly target: number
  /** Of all revisions; each has served. */
  readonly numbers: readonly number[]
  readonly revisionHistoryLimit?: number
}

/** A service with these revisions, as an engine would have written it. */
export function sampleRecord({ stable, target, numbers, revisionHistoryLimit = 3 }: RecordShape): ServiceRecord {
  const rollout = { ...resolveRollout({ steps: [{ weight: 10 }] }, '/'), revisionHistoryLimit }
  const service: Service = {
    name: 'mlp',
    model: { path: '/m', name: 'mlp', format: 'onnx' },
    runtime: { kind: 'onnx', threads: 0 },
    env: [],
    serving: { timeoutMs: 1000, maxBodyBytes: 1, maxQueuedRows: 1 },
    resources: { cpuMillis: 1000 },
    replicas: 2,
    lifecycle: { startupTimeoutMs: 1000, drainTimeoutMs: 1000 },
    paused: false,
    rollout,
  }
  const revisions = numbers.map((number): RevisionRecord => ({
    number,
    hash: `hash-${number}`,
    service,
    modelDigest: `sha256:${number}`,
    modelPath: '/kept',
    createdAtMs: 0,
    proven: true,
  }))
  return {
    name: 'mlp',
    file: '/towline.yaml',
    host: '127.0.0.1',
    port: 8080,
    environment: null,
    applied: service,
    target,
    stable,
    revisions,
    rollout: null,
    warm: [],
    history: [],
    rejected: null,
    stopping: false,
    scale: null,
    lastFailure: null,
  }
}

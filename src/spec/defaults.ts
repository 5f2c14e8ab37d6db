/**
 * What a field is when a document leaves it out: one table for the engine, the renderers and the operator. A change here
 * changes the revision of every service that leaves the field out.
 */
export const defaults = {
  cpuMillis: 1000,
  replicas: 1,
  minReplicas: 1,
  burst: { thresholdPercent: 200, windowMs: 6000 },
  threads: 0,
  timeoutMs: 10_000,
  maxBodyBytes: 64 * 1024 * 1024,
  maxQueuedRows: 256,
  startupTimeoutMs: 60_000,
  drainTimeoutMs: 30_000,
  rollout: {
    surge: 'Auto',
    bakeMs: 120_000,
    minRequests: 200,
    maxTimeMs: 3_600_000,
    errors: { maxPercentOfStable: 125, floorPerThousand: 10 },
    latency: { maxPercentOfStable: 125, floorPerThousand: 20 },
    onFailure: 'Rollback',
    onInconclusive: 'Pause',
    revisionHistoryLimit: 3,
    warmRevisions: 1,
  },
  card: { activation: 'None', topK: 5, colour: 'RGB', crop: 'Center' },
} as const

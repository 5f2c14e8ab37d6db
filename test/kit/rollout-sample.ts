import type { RolloutStatus, ServiceStatus } from '../../src/control/api.ts'

/** Statuses as an engine says them, for what only reads them. */

export const sampleAtMs = 1_000_000

export function sampleService(change: Partial<ServiceStatus> = {}): ServiceStatus {
  const revision = { createdAtMs: 0, replicas: 1, latency: null }
  return {
    name: 'cats',
    file: '/a/towline.yaml',
    url: 'http://127.0.0.1:8080',
    port: 8080,
    phase: 'Ready',
    summary: '1 of 1 replicas ready',
    environment: null,
    revision: 3,
    replicas: { desired: 1, ready: 1 },
    model: { name: 'cats', format: 'onnx', path: '/a', digest: 'sha256:7793a8', sha256: null, sizeBytes: null },
    traffic: { requests: 0, errors: 0, inFlight: 0, waiting: 0, latency: null },
    scale: null,
    paused: false,
    rollout: null,
    rejected: null,
    revisions: [
      { ...revision, number: 3, role: 'Stable', modelDigest: 'sha256:7793a8ff', proven: true },
      { ...revision, number: 4, role: 'Candidate', modelDigest: 'sha256:c01d44ff', proven: false },
    ],
    instances: [],
    lastFailure: null,
    ...change,
  }
}

export function sampleRollout(change: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    id: 'plan-1',
    kind: 'Canary',
    from: 3,
    to: 4,
    phase: 'Preparing',
    startedAtMs: sampleAtMs - 1300,
    weights: [5, 25],
    step: null,
    candidate: { wanted: 1, ready: 0, weight: null },
    bake: null,
    pause: null,
    analysis: null,
    cause: null,
    moved: null,
    ...change,
  }
}

/** Of slow answers alone. */
export function sampleAnalysis(candidate: number, slow: number): NonNullable<RolloutStatus['analysis']> {
  const tally = (requests: number, bad: number) => ({ requests, bad, share: requests === 0 ? null : bad / requests })
  return {
    verdict: 'Inconclusive',
    crashed: false,
    windows: 7,
    totals: {
      candidate: { requests: candidate, errors: 0, slow },
      stable: { requests: 7940, errors: 1, slow: 9 },
    },
    metrics: [
      {
        metric: 'Slow',
        verdict: 'Inconclusive',
        candidate: tally(candidate, slow),
        stable: tally(7940, 9),
        bound: 0.02,
        badWindows: 6,
        alarm: { reached: 0.34, needed: 20 },
        proof: { reached: 4.1, needed: 20 },
      },
    ],
  }
}

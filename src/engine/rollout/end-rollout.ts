import type { RolloutRecord, ServiceRecord } from '../state/records.ts'
import { countDesired, findRevision } from '../state/records.ts'

/** How long the revision before a canary stands ready, so that going back to it takes no start. */
const warmMs = 300_000
const keptRollouts = 20

/** What a service is once its rollout is over. */
export function endRollout(record: ServiceRecord, rollout: RolloutRecord, nowMs: number): Partial<ServiceRecord> {
  const { plan, state, startedAtMs } = rollout
  const { position } = state
  if (position.phase !== 'Done') throw new Error(`rollout ${plan.id} is not over`)
  const { outcome, cause } = position
  const candidate = findRevision(record, plan.candidate)
  const ended = {
    id: plan.id,
    kind: plan.kind,
    from: plan.stable,
    to: plan.candidate,
    modelDigest: candidate.modelDigest,
    startedAtMs,
    endedAtMs: nowMs,
    outcome,
    cause,
  }
  const history = [...record.history, ended].slice(-keptRollouts)
  if (outcome === 'Promoted') {
    const revisions = record.revisions.map((revision) =>
      revision === candidate ? { ...revision, proven: true } : revision,
    )
    return { rollout: null, history, stable: plan.candidate, revisions, warm: keepWarm(record, rollout, nowMs) }
  }
  // What was taken back does not stand ready either.
  const over = { rollout: null, history, warm: record.warm.filter(({ revision }) => revision !== plan.candidate) }
  // A newer spec has taken its place, and perhaps given it back: what is wanted now begins by itself.
  if (record.target !== plan.candidate || cause === null || cause.reason === 'Superseded') return over
  const failure = { reason: cause.reason, message: cause.message, hint: cause.hint, atMs: nowMs }
  // A way back that was not taken to its end: what served before and what serves now are both as good as they were.
  if (candidate.proven) return { ...over, target: plan.stable, rejected: null, lastFailure: failure }
  const rejected = { revision: plan.candidate, hash: candidate.hash, cause, atMs: nowMs }
  return { ...over, target: plan.stable, rejected, lastFailure: failure }
}

function keepWarm(record: ServiceRecord, { plan }: RolloutRecord, nowMs: number): ServiceRecord['warm'] {
  const limit = record.applied.rollout.warmRevisions
  if (plan.kind === 'Rolling' || plan.surge !== 'Surge') return []
  const replicas = countDesired(record)
  const others = record.warm.filter(({ revision }) => revision !== plan.candidate && revision !== plan.stable)
  return [{ revision: plan.stable, replicas, untilMs: nowMs + warmMs }, ...others].slice(0, limit)
}

import { isServing } from '../decide/replicas.ts'
import type { RouteObservation } from '../decide/rollout/observation.ts'
import type { GatewayRouteStatus } from './gateway/gateway-config.ts'
import { describeRevisions, describeRollout, summarizeRollout } from './rollout/rollout-status.ts'
import { type ServiceRecord, countDesired, findRevision } from './state/records.ts'
import type { Replica } from './replica/replica.ts'
import type { FailureStatus, RolloutStatus, ScaleStatus, ServicePhase, ServiceStatus } from './service-status.ts'
import type { Autoscaling } from '../spec/service.ts'

export interface ServiceFacts {
  readonly record: ServiceRecord
  readonly replicas: readonly Replica[]
  readonly traffic: GatewayRouteStatus | undefined
  /** All wanted replicas have served at some time since the last change. */
  readonly complete: boolean
  readonly routeFailure: FailureStatus | null
  readonly route: RouteObservation | null
}

/** Starts that failed in a row before a service without any ready replica is called failed. It is tried again all the same. */
const failedAfter = 3

export function describeService(facts: ServiceFacts): ServiceStatus {
  const { record, replicas, traffic } = facts
  const stable = findRevision(record, record.stable)
  const { model } = stable.service
  const { autoscaling } = record.applied
  const desired = countDesired(record)
  const counted = carrying(facts)
  const ready = counted.filter((replica) => isServing(replica.observe())).length
  const artefact = replicas.find(
    (replica) => replica.serving !== undefined && replica.record.revision === record.stable,
  )?.serving?.model
  const rollout = describeRollout(facts)
  const phase = decidePhase(facts, desired, ready)
  const failures = [record.lastFailure, ...replicas.map((replica) => replica.record.lastFailure), facts.routeFailure]
  const lastFailure = failures
    .filter((failure) => failure !== null)
    .toSorted((a, b) => b.atMs - a.atMs)
    .at(0)
  return {
    name: record.name,
    file: record.file,
    url: `http://${record.host}:${record.port}`,
    port: record.port,
    phase,
    summary: summarize({ ...facts, phase, desired, ready, lastFailure: lastFailure ?? null, rollout }),
    environment: record.environment,
    revision: record.stable,
    replicas: { desired, ready },
    model: {
      name: model.name,
      format: model.format,
      path: model.path,
      digest: stable.modelDigest,
      sha256: artefact?.sha256 ?? null,
      sizeBytes: artefact?.sizeBytes ?? null,
    },
    traffic: {
      requests: traffic?.requests ?? 0,
      errors: traffic?.errors ?? 0,
      inFlight: traffic?.inFlight ?? 0,
      waiting: traffic?.waiting ?? 0,
      latency: traffic?.latency ?? null,
    },
    scale: describeScale(record, autoscaling),
    paused: record.applied.paused,
    rollout,
    rejected: describeRejected(record),
    revisions: describeRevisions(facts),
    instances: replicas.map((replica) => replica.status()),
    lastFailure: lastFailure ?? null,
  }
}

/** Beside a canary the stable replicas carry the service; one that is replaced piece by piece is carried by both. */
export function carrying({
  record,
  replicas,
  route,
}: Pick<ServiceFacts, 'record' | 'replicas' | 'route'>): readonly Replica[] {
  const { rollout, stable } = record
  if (rollout?.plan.kind === 'Rolling') return replicas
  const carries = rollout !== null && route?.weight === 100 ? rollout.plan.candidate : stable
  return replicas.filter((replica) => replica.record.revision === carries)
}

function describeRejected({ rejected }: ServiceRecord): ServiceStatus['rejected'] {
  return rejected === null ? null : { ...rejected.cause, revision: rejected.revision, atMs: rejected.atMs }
}

function decidePhase(
  { record, replicas, complete, routeFailure }: ServiceFacts,
  desired: number,
  ready: number,
): ServicePhase {
  if (record.stopping) return 'Stopping'
  if (routeFailure !== null) return 'Failed'
  if (desired === 0) return record.rollout === null ? 'Idle' : 'Updating'
  if (ready === 0) {
    const stuck = replicas.some(({ record: { hopeless, failures } }) => hopeless || failures >= failedAfter)
    return stuck ? 'Failed' : complete ? 'Degraded' : 'Starting'
  }
  if (record.rollout !== null) return 'Updating'
  // What a person took back is no trouble.
  if (record.rejected !== null && record.rejected.cause.reason !== 'ByHand') return 'Degraded'
  if (ready >= desired) return 'Ready'
  // One that serves again keeps the count of its failures for a while: they are no part of what is missing now.
  const fails = replicas.some((replica) => replica.record.failures > 0 && !isServing(replica.observe()))
  return complete || fails ? 'Degraded' : 'Starting'
}

function describeScale({ scale }: ServiceRecord, autoscaling: Autoscaling | undefined): ScaleStatus | null {
  if (scale === null && autoscaling === undefined) return null
  const { reason = '', changedAtMs = null, autoscaler = null } = scale ?? {}
  return {
    minReplicas: autoscaling?.minReplicas ?? null,
    maxReplicas: autoscaling?.maxReplicas ?? null,
    reason,
    changedAtMs,
    metrics: autoscaler?.proposals ?? [],
    conditions: autoscaler?.state.conditions ?? [],
    burst: (autoscaler?.panic ?? null) !== null,
  }
}

interface Summary extends ServiceFacts {
  readonly phase: ServicePhase
  readonly desired: number
  readonly ready: number
  readonly lastFailure: FailureStatus | null
  readonly rollout: RolloutStatus | null
}

function summarize({ record, phase, desired, ready, lastFailure, routeFailure, rollout }: Summary): string {
  const waits = record.target !== record.stable && record.applied.paused && record.rollout === null
  const count = `${ready} of ${desired} replicas ready${waits ? `; revision ${record.target} waits: spec.paused is true` : ''}`
  const because = lastFailure === null ? '' : `: ${lastFailure.message}`
  switch (phase) {
    case 'Stopping':
      return 'it is being taken down; requests in flight are still answered'
    case 'Ready':
      return count
    case 'Idle':
      return record.applied.autoscaling?.minReplicas === 0
        ? 'nobody asks, so nothing runs; the first request starts a replica and is held until it is ready'
        : 'it was scaled to 0 by hand, and requests are turned away; `towline scale` brings it back'
    case 'Starting':
      return count
    case 'Updating':
      return rollout === null ? count : summarizeRollout(rollout, desired)
    case 'Degraded':
      if (record.rejected !== null && ready > 0)
        return `revision ${record.rejected.revision} was rejected, revision ${record.stable} serves: ${record.rejected.cause.message}`
      return `${count}${because}`
    case 'Failed':
      return routeFailure === null ? `no replica is ready${because}` : routeFailure.message
  }
}

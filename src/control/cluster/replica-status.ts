import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import { containerName } from '../../render/container.ts'
import type { Cause } from '../../cluster/explain/cause.ts'
import type { FailureStatus, ReplicaPhase, ReplicaStatus } from '../../engine/service-status.ts'
import type { ClusterRevision } from '../../cluster/revisions.ts'

/** Container ports as `render/` has them. */
const ports = { http: 8080, metrics: 9090 }

/** One pod in the words of a replica. */
export function describePod(pod: Pod, revisions: readonly ClusterRevision[], causes: readonly Cause[]): ReplicaStatus {
  const name = pod.metadata?.name ?? ''
  const container = pod.status?.containerStatuses?.find((each) => each.name === containerName)
  const own = causes.find(({ subject }) => subject === `pod ${name}`)
  return {
    name,
    revision: revisionOf(pod, revisions),
    phase: phaseOf(pod, container),
    ...(pod.spec?.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
    pid: null,
    port: ports.http,
    metricsPort: ports.metrics,
    startedAtMs: timeOf(container?.state?.running?.startedAt),
    warmupMs: null,
    restarts: container?.restartCount ?? 0,
    nextStartAtMs: null,
    lastFailure: own === undefined ? null : describeCause(own),
  }
}

export function describeCause({ reason, sentence, advice, evidence, sinceMs }: Cause): FailureStatus {
  return { reason, message: sentence, hint: advice, atMs: sinceMs, evidence }
}

function revisionOf(pod: Pod, revisions: readonly ClusterRevision[]): number {
  const owner = pod.metadata?.ownerReferences?.[0]?.uid
  return revisions.find(({ replicaSet }) => replicaSet.metadata?.uid === owner)?.number ?? 0
}

function phaseOf(pod: Pod, container: ContainerStatus | undefined): ReplicaPhase {
  if (pod.metadata?.deletionTimestamp !== undefined) return 'Draining'
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  if (ready) return 'Ready'
  if (container?.state?.waiting?.reason === 'CrashLoopBackOff') return 'Waiting'
  return container?.started === true ? 'Unready' : 'Starting'
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text)
}

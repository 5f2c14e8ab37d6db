import type { Container, ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import type { Event } from 'kubernetes-types/events/v1.js'
import { keys } from '../../render/names.ts'
import type { ClusterObservation } from '../observation.ts'
import type { ExplainContext, Finding } from './cause.ts'
import { readTimeMs } from './event-time.ts'

/** A look, arranged for those who search it for causes. */
export interface Sight {
  readonly nowMs: number
  readonly look: ClusterObservation
  /** Neither ending nor done; those of the newest revision first. */
  readonly pods: readonly PodSight[]
  readonly context: ExplainContext
}

export interface PodSight {
  readonly pod: Pod
  readonly name: string
  readonly revision: string | null
  readonly createdMs: number
  /** Init containers too. */
  readonly containers: readonly ContainerSight[]
  /** About it, oldest first. */
  readonly events: readonly Event[]
  /** The end of what its failed container wrote. */
  readonly logTail: string | undefined
}

export interface ContainerSight {
  readonly spec: Container
  readonly status: ContainerStatus | undefined
}

/** Undefined: it is something else. The first rule that knows the cause of a pod's trouble has it. */
export type PodRule = (pod: PodSight, sight: Sight) => Finding | undefined

/** What is wrong with a service apart from its pods. */
export type ServiceRule = (sight: Sight) => readonly ServiceFinding[]

export interface ServiceFinding extends Finding {
  readonly subject: string
  readonly revision: string | null
}

/** Label of pods and of what makes them. */
export const revisionLabel = keys.revision

export function arrangeLook(look: ClusterObservation, context: ExplainContext = {}): Sight {
  const newest = look.deployment?.spec?.template.metadata?.labels?.[revisionLabel]
  const rank = (pod: PodSight): number => (pod.revision === newest ? 0 : 1)
  const pods = look.pods
    .filter((pod) => pod.metadata?.deletionTimestamp === undefined && pod.status?.phase !== 'Succeeded')
    .map((pod) => arrangePod(pod, look, context))
    .toSorted((a, b) => rank(a) - rank(b) || a.createdMs - b.createdMs || a.name.localeCompare(b.name))
  return { nowMs: look.atMs, look, pods, context }
}

function arrangePod(pod: Pod, look: ClusterObservation, { logTails }: ExplainContext): PodSight {
  const { metadata, spec, status } = pod
  const name = metadata?.name ?? ''
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const specs = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return {
    pod,
    name,
    revision: metadata?.labels?.[revisionLabel] ?? null,
    createdMs: readTimeMs(metadata?.creationTimestamp) ?? look.atMs,
    containers: specs.map((spec) => ({ spec, status: statuses.find((status) => status.name === spec.name) })),
    events: look.events.filter(({ regarding }) => regarding?.kind === 'Pod' && regarding.uid === metadata?.uid),
    logTail: logTails?.[name],
  }
}

/** When this condition got the status that it has; undefined: it has another one, or is not there. */
export function conditionSinceMs(pod: Pod, type: string, status: 'True' | 'False'): number | undefined {
  const condition = pod.status?.conditions?.find((condition) => condition.type === type && condition.status === status)
  return condition && readTimeMs(condition.lastTransitionTime)
}

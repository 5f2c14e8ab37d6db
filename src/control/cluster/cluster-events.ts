import type { Event } from 'kubernetes-types/events/v1.js'
import { lastSeenMs } from '../../cluster/explain/event-time.ts'
import type { EngineEvent } from '../api.ts'

/** What controllers and nodes noted of a service's objects, in the words of an engine's events; the last `count`, oldest first. */
export function describeEvents(events: readonly Event[], service: string, count: number): EngineEvent[] {
  return events
    .filter(({ regarding }) => isOf(regarding ?? {}, service))
    .map((event) => ({
      atMs: lastSeenMs(event),
      service,
      replica: event.regarding?.kind === 'Pod' ? (event.regarding.name ?? null) : null,
      reason: event.reason ?? '',
      message: repeated(event),
    }))
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-count)
}

/** What happens whenever pods come and go, and says nothing of how a service is. */
const routine = new Set([
  'Scheduled',
  'Pulling',
  'Pulled',
  'Created',
  'Started',
  'SuccessfulCreate',
  'SuccessfulDelete',
  'Killing',
  'ScalingReplicaSet',
  'NoPods',
])

export function isRoutine({ reason }: Pick<EngineEvent, 'reason'>): boolean {
  return routine.has(reason)
}

/** `cats`; a ReplicaSet of it: `cats-5cf45df9dc`; a pod of that: `cats-5cf45df9dc-x7k2p`. */
function isOf({ kind, name = '' }: NonNullable<Event['regarding']>, service: string): boolean {
  const rest = name.startsWith(`${service}-`) ? name.slice(service.length + 1) : undefined
  if (kind === 'Pod') return rest !== undefined && /^[a-z0-9]+-[a-z0-9]{5}$/.test(rest)
  if (kind === 'ReplicaSet') return rest !== undefined && /^[a-z0-9]+$/.test(rest)
  return name === service
}

function repeated({ note = '', deprecatedCount = 1, series }: Event): string {
  const times = series?.count ?? deprecatedCount
  return times > 1 ? `${note} (${times} times)` : note
}

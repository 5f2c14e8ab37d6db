import { type ServiceRecord, countDesired } from './records.ts'

interface ServiceChange {
  readonly reason: string
  readonly message: string
}

/** A change of a service's record, in words. */
export function describeChange(before: ServiceRecord, after: ServiceRecord): ServiceChange[] {
  if (after.stopping) return before.stopping ? [] : [{ reason: 'Stopping', message: 'it is taken down' }]
  const changes: ServiceChange[] = []
  const { rejected, target } = after
  if (rejected !== null && rejected !== before.rejected)
    changes.push({
      reason: 'Rejected',
      message: `revision ${rejected.revision} never became ready, revision ${target} serves: ${rejected.failure.message}`,
    })
  // A service that is new has no port yet.
  else if (before.port === 0) changes.push({ reason: 'Applied', message: `revision ${target} on port ${after.port}` })
  else if (target !== before.target)
    changes.push({ reason: 'Applied', message: `revision ${target} replaces revision ${before.target}` })
  const [from, to] = [countDesired(before), countDesired(after)]
  if (from !== to)
    changes.push({
      reason: 'Scaled',
      message: `from ${from} to ${to} ${to === 1 ? 'replica' : 'replicas'}: ${after.scale?.reason ?? 'the spec says so'}`,
    })
  return changes
}

import { readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import type { ReplicaAnnouncement } from '../../serve/replica-config.ts'

/** What this very process says of itself; what an earlier one left behind, or anything else, is nothing. */
export function readAnnouncement(file: string, { pid, startTicks }: ProcessIdentity): ReplicaAnnouncement | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTicks' in value)) return undefined
  // A process that ended before it was looked at has no known start time; its pid is proof enough for last words.
  if (value.pid !== pid || (startTicks !== 0 && value.startTicks !== startTicks)) return undefined
  // Written atomically by our own replica, with the contract's types.
  return value as ReplicaAnnouncement
}

import { readFileSync } from 'node:fs'
import type { ProcessIdentity } from './process-identity.ts'

/**
 * What this very process says of itself in a file; what an earlier process left behind, or anything else, is nothing. Our own
 * code writes such files, atomically: the fields beyond the identity have the types of their contract.
 */
export function readAnnouncement(file: string, { pid, startTicks }: ProcessIdentity): ProcessIdentity | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTicks' in value)) return undefined
  // A process that ended before it was looked at has no known start time; its pid is proof enough for last words.
  if (value.pid !== pid || (startTicks !== 0 && value.startTicks !== startTicks)) return undefined
  return value as ProcessIdentity
}

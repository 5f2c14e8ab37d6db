import { readFileSync } from 'node:fs'
import { formatBytes } from '../../base/display.ts'
import { hasErrno } from '../../base/errors.ts'
import type { FailureStatus } from '../service-status.ts'

/** Resident memory, or undefined when the process is gone. */
export function readResidentBytes(pid: number): number | undefined {
  try {
    return parseResidentBytes(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

/** A zombie has no such line. */
export function parseResidentBytes(status: string): number | undefined {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}

export function outOfMemory(usedBytes: number, limitBytes: number, atMs: number): FailureStatus {
  // A quarter more than what it had reached, in steps people write.
  const askMi = Math.ceil((usedBytes * 1.25) / (64 << 20)) * 64
  return {
    reason: 'OutOfMemory',
    message: `it used ${formatBytes(usedBytes)} of memory, more than its limit of ${formatBytes(limitBytes)}`,
    hint: `resources.memory: ${askMi}Mi, or send smaller batches`,
    atMs,
  }
}

import { closeSync, futimesSync, openSync, statSync } from 'node:fs'
import type { Clock } from '../clock.ts'

/**
 * A lease keeps a child process in service: its keeper touches the file, the child watches the file's time *change* and
 * measures with its own monotonic clock, so that a set-back wall clock neither ends a lease nor prolongs it.
 */
export function renewLease(file: string, nowMs: number): void {
  const fd = openSync(file, 'a', 0o644)
  try {
    futimesSync(fd, nowMs / 1000, nowMs / 1000)
  } finally {
    closeSync(fd)
  }
}

/** Resolves once the file's time has not changed for `leaseMs`; rejects when `signal` aborts. A missing file is no renewal. */
export async function leaseLapsed(file: string, leaseMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const checkMs = Math.min(1000, leaseMs / 5)
  let seen = renewedAt(file)
  let sinceMs = clock.monotonicMs()
  for (;;) {
    await clock.sleep(checkMs, signal)
    const now = renewedAt(file)
    if (now !== undefined && now !== seen) {
      seen = now
      sinceMs = clock.monotonicMs()
    } else if (clock.monotonicMs() - sinceMs >= leaseMs) return
  }
}

function renewedAt(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.mtimeNs
}

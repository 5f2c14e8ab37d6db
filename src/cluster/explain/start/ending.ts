import type { ContainerStateTerminated } from 'kubernetes-types/core/v1.js'
import { readTimeMs } from '../event-time.ts'
import type { ContainerSight } from '../sight.ts'

/** How a container ended last. */
export interface Ending {
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly atMs: number | undefined
  /** How long it had run; undefined: it never did. */
  readonly ranMs: number | undefined
  readonly restarts: number
  /** It is kept from starting again for a while, which takes at least two ends in a row. */
  readonly backsOff: boolean
}

export function readEnding({ status }: ContainerSight): Ending | undefined {
  const ended: ContainerStateTerminated | undefined = status?.state?.terminated ?? status?.lastState?.terminated
  if (status === undefined || ended === undefined) return undefined
  const startedMs = readTimeMs(ended.startedAt)
  const atMs = readTimeMs(ended.finishedAt)
  return {
    exitCode: ended.exitCode,
    reason: ended.reason ?? '',
    message: ended.message ?? '',
    atMs,
    ranMs: startedMs === undefined || atMs === undefined ? undefined : atMs - startedMs,
    restarts: status.restartCount,
    backsOff: status.state?.waiting?.reason === 'CrashLoopBackOff',
  }
}

/** One end may be an accident, and a container that serves again has got over it. */
export function isSettled({ restarts, backsOff }: Ending): boolean {
  return backsOff || restarts >= 2
}

/** It runs again and is ready: what was is over. */
export function hasRecovered({ status }: ContainerSight): boolean {
  return status?.ready === true
}

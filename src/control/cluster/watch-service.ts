import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { ClusterObservation } from '../../cluster/observation.ts'
import type { ServiceStatus } from '../api.ts'

const lookEveryMs = 1000
/** An API server that is restarted or replaced is back by then. */
const lostPatienceMs = 60_000

export interface Watching {
  look(name: string, signal?: AbortSignal): Promise<ClusterObservation>
  describe(observation: ClusterObservation, signal?: AbortSignal): Promise<ServiceStatus>
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

/** The first look, then each that differs, until the service is gone. An API server that is away for less than a minute is waited out. */
export async function* watchService(
  name: string,
  { look, describe, clock, signal }: Watching,
): AsyncGenerator<ServiceStatus> {
  let told: string | undefined
  let lostSinceMs: number | undefined
  for (;;) {
    const seen = await look(name, signal).catch((error: unknown) => {
      signal?.throwIfAborted()
      const nowMs = clock.monotonicMs()
      lostSinceMs ??= nowMs
      // Whoever has not seen anything yet is told at once that nobody answers.
      if (told === undefined || !isPassing(error) || nowMs - lostSinceMs >= lostPatienceMs) throw error
      return undefined
    })
    if (seen !== undefined) {
      lostSinceMs = undefined
      const status = await describe(seen, signal)
      const text = JSON.stringify(status)
      if (text !== told) yield status
      told = text
      if (seen.deployment === undefined && seen.pods.length === 0) return
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof TowlineError && ['TL_CLUSTER_UNREACHABLE', 'TL_CLUSTER_FAILED'].includes(error.code)
}

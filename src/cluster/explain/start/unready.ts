import { readTimeMs, firstSeenMs } from '../event-time.ts'
import { probePort, readProbeFailure, tellProbe } from '../probe-text.ts'
import type { PodRule } from '../sight.ts'

/** A container without a startup probe may still be loading its model when its port is closed: so long that is no fault. */
const loadMs = 60_000

/** A container runs and has started, but is not ready. */
export const findUnready: PodRule = (pod, { nowMs, look: { name } }) => {
  for (const { spec, status } of pod.containers) {
    const startedMs = readTimeMs(status?.state?.running?.startedAt)
    if (status === undefined || startedMs === undefined || status.ready || status.started !== true) continue
    const seen = pod.events.findLast((event) => readProbeFailure(event)?.probe === 'Readiness')
    const failure = seen && readProbeFailure(seen)
    if (seen === undefined || failure === undefined) continue
    const rest = {
      evidence: [`Readiness probe failed: ${failure.text}`],
      sinceMs: Math.max(firstSeenMs(seen), startedMs),
      blocks: 'Rollout',
    } as const
    if (failure.kind === 'Refused') {
      const other = probePort(spec.startupProbe, spec)
      // The startup probe got through: it listens, but on another port.
      const elsewhere = other !== undefined && other !== failure.port
      return {
        ...rest,
        reason: 'WrongPort',
        sentence: elsewhere
          ? `nothing listens on port ${failure.port}, where it is asked whether it is ready; on port ${other} it answers`
          : `nothing listens on port ${failure.port}, where it is asked whether it is ready`,
        advice: `make the program of the image listen on port ${failure.port}, or ask it where it listens`,
        final: elsewhere || (spec.startupProbe === undefined && nowMs - startedMs >= loadMs),
      }
    }
    return {
      ...rest,
      reason: 'NotReady',
      sentence: `it runs, but does not get ready (${tellProbe(failure)})`,
      advice: `\`towline logs ${name}\` shows what it waits for`,
      final: false,
    }
  }
  return undefined
}

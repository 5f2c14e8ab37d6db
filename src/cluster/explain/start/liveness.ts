import { lastSeenMs } from '../event-time.ts'
import { probePort, readProbeFailure, tellProbe } from '../probe-text.ts'
import type { PodRule } from '../sight.ts'
import { hasRecovered, isSettled, readEnding } from './ending.ts'

/** A container that had started was killed because it no longer said that it lives. */
export const findLivenessKill: PodRule = (pod, { look: { name } }) => {
  const kill = pod.events.findLast(
    ({ reason, note = '' }) => reason === 'Killing' && note.includes('failed liveness probe'),
  )
  const killed = /^Container (\S+) /.exec(kill?.note ?? '')?.[1]
  const container = pod.containers.find(({ spec }) => spec.name === killed)
  if (kill === undefined || container === undefined || hasRecovered(container)) return undefined
  const failure = pod.events.map(readProbeFailure).findLast((failure) => failure?.probe === 'Liveness')
  const port = failure?.port ?? probePort(container.spec.livenessProbe, container.spec)
  const ending = readEnding(container)
  return {
    reason: 'LivenessFailed',
    sentence: `it was killed because it no longer answered${port === undefined ? '' : ` on port ${port}`} whether it lives${failure === undefined ? '' : ` (${tellProbe(failure)})`}`,
    advice: `see with \`towline logs ${name} --previous\` what held it up: a model run that blocks the process, or too little of \`resources.cpu\``,
    evidence: [...(failure === undefined ? [] : [`Liveness probe failed: ${failure.text}`]), kill.note ?? ''],
    final: ending !== undefined && isSettled(ending),
    sinceMs: lastSeenMs(kill),
    blocks: 'Rollout',
  }
}

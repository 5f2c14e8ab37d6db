import { renderDuration } from '../../../base/duration.ts'
import { firstSeenMs } from '../event-time.ts'
import { findListenPort, readLastWords } from '../last-words.ts'
import { probePort, readProbeFailure, startupBudgetMs, tellProbe } from '../probe-text.ts'
import type { PodRule } from '../sight.ts'
import { hasRecovered } from './ending.ts'

/** A container was killed because it did not answer in the time that it has to start. */
export const findSlowStartup: PodRule = (pod, { look: { name } }) => {
  const kill = pod.events.findLast(
    ({ reason, note = '' }) => reason === 'Killing' && note.includes('failed startup probe'),
  )
  if (kill === undefined) return undefined
  const killed = /^Container (\S+) /.exec(kill.note ?? '')?.[1]
  const container = pod.containers.find(({ spec }) => spec.name === killed) ?? pod.containers.at(-1)
  if (container === undefined || hasRecovered(container) || container.status?.started === true) return undefined
  const failure = pod.events
    .map(readProbeFailure)
    .findLast((failure) => failure !== undefined && failure.probe === 'Startup')
  const budgetMs = startupBudgetMs(container.spec)
  const budget = budgetMs === undefined ? 'its time' : renderDuration(budgetMs)
  const port = failure?.port ?? probePort(container.spec.startupProbe, container.spec)
  const listens = pod.logTail === undefined ? undefined : findListenPort(pod.logTail)
  const words = pod.logTail === undefined ? undefined : readLastWords(pod.logTail)
  const rest = {
    evidence: [
      ...(failure === undefined ? [] : [`Startup probe failed: ${failure.text}`]),
      kill.note ?? '',
      ...(words === undefined ? [] : [`its last words: ${words}`]),
    ],
    final: true,
    sinceMs: firstSeenMs(kill),
    blocks: 'Rollout',
  } as const
  if (failure?.kind === 'Refused' && port !== undefined && listens !== undefined && listens !== port)
    return {
      ...rest,
      reason: 'WrongPort',
      sentence: `it is asked for its health on port ${port}, where nothing listens; it says that it listens on port ${listens}`,
      advice: `make the program of the image listen on port ${port}`,
    }
  return {
    ...rest,
    reason: 'StartupTooSlow',
    sentence: `it did not answer${port === undefined ? '' : ` on port ${port}`} within ${budget} of its start${failure === undefined ? '' : ` (${tellProbe(failure)})`} and was killed`,
    advice: `raise \`lifecycle.startupTimeout\` (${budget} now), or see with \`towline logs ${name} --previous\` what it waits for`,
  }
}

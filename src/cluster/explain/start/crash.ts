import { constants } from 'node:os'
import { formatMs, oneLine } from '../../../base/display.ts'
import { readLastWords } from '../last-words.ts'
import type { PodRule } from '../sight.ts'
import { type Ending, hasRecovered, isSettled, readEnding } from './ending.ts'

/** A container that lived shorter than this ended while it started. */
const startMs = 60_000

/** A container ends by itself. */
export const findCrash: PodRule = (pod, { nowMs, look: { name } }) => {
  for (const container of pod.containers) {
    const ending = readEnding(container)
    if (
      ending === undefined ||
      hasRecovered(container) ||
      isDoneInit(pod.pod.spec?.initContainers, container.spec.name, ending)
    )
      continue
    const words = pod.logTail === undefined ? undefined : readLastWords(pod.logTail)
    const said = words === undefined ? '' : `; its last words: ${words}`
    const rest = {
      evidence: [`${ending.reason}, exit code ${ending.exitCode}, ${ending.restarts} restarts`],
      final: isSettled(ending),
      sinceMs: ending.atMs ?? nowMs,
      blocks: 'Rollout',
    } as const
    if (ending.reason === 'StartError' || ending.reason === 'ContainerCannotRun') {
      const why =
        /(?:unable to start container process: )?(?:error during container init: )?((?:exec|stat|chdir)[^]*?)(?:: unknown)?$/.exec(
          ending.message,
        )
      return {
        ...rest,
        reason: 'ProgramMissing',
        sentence: `its program cannot be started: ${oneLine(why?.[1] ?? ending.message)}`,
        advice: 'correct the entrypoint of the image, or `command` in `pod.patch`',
        evidence: [oneLine(ending.message)],
      }
    }
    return {
      ...rest,
      reason: 'Crashed',
      sentence: `it ended ${tellWhen(ending)} with ${tellCode(ending.exitCode)}${said}`,
      advice: `mend what it says at its end: \`towline logs ${name} --previous\` shows all of it`,
    }
  }
  return undefined
}

function tellWhen({ ranMs }: Ending): string {
  if (ranMs === undefined) return 'at once'
  return ranMs < startMs ? 'while it started' : `after ${formatMs(ranMs)}`
}

function tellCode(exitCode: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0]
  return exitCode > 128 && signal !== undefined ? `exit code ${exitCode} (${signal})` : `exit code ${exitCode}`
}

function isDoneInit(inits: readonly { readonly name: string }[] = [], name: string, { exitCode }: Ending): boolean {
  return exitCode === 0 && inits.some((init) => init.name === name)
}

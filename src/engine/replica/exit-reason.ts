import { constants } from 'node:os'
import { findLastWords } from '../../base/last-words.ts'
import type { ReplicaAnnouncement } from '../../serve/replica-config.ts'
import type { FailureStatus } from '../service-status.ts'
import type { ProcessExit } from '../supervised-process.ts'

export interface EndedReplica {
  readonly exit: ProcessExit
  readonly announcement: ReplicaAnnouncement | undefined
  readonly stderrTail: string
  readonly logFile: string
  readonly atMs: number
}

export interface ExplainedExit {
  readonly failure: FailureStatus
  /** Another try cannot help before somebody changes something. */
  readonly hopeless: boolean
}

const hopelessCodes: readonly string[] = [
  'TL_MODEL_UNLOADABLE',
  'TL_MODEL_MISSING',
  'TL_CARD_INVALID',
  'TL_SPEC_INVALID',
  'TL_SPEC_UNSUPPORTED',
]

/** Why a replica ended that nobody had told to. */
export function explainExit({ exit, announcement, stderrTail, logFile, atMs }: EndedReplica): ExplainedExit {
  if (announcement?.state === 'Failed') {
    const { code, message, hint = null } = announcement
    return { failure: { reason: reasonOf(code), message, hint, atMs }, hopeless: hopelessCodes.includes(code) }
  }
  const said = lastLine(stderrTail)
  const failure = (reason: string, message: string, hint: string | null): ExplainedExit => ({
    failure: { reason, message: said === '' ? message : `${message}; its last words: ${said}`, hint, atMs },
    hopeless: false,
  })
  switch (exit.kind) {
    case 'NotStarted':
      return failure('NotStarted', `its process could not be started (${exit.message})`, null)
    case 'Unseen':
      return failure(
        'Ended',
        'it ended; its exit code is unknown, because an earlier engine had started it',
        `${logFile} may say more`,
      )
    case 'Signal':
      return failure('Killed', explainSignal(exit.signal), signalHint(exit.signal))
    case 'Code':
      if (exit.code === 0) return failure('Ended', 'it ended by itself with exit code 0', `${logFile} says why`)
      return failure('Crashed', `it ended with exit code ${exit.code}`, `${logFile} may say more`)
  }
}

function explainSignal(signal: NodeJS.Signals): string {
  const killed = `killed by signal ${constants.signals[signal]} (${signal})`
  if (signal === 'SIGKILL') return `${killed}, for instance by the kernel when memory ran out, or by hand`
  if (signal === 'SIGABRT' || signal === 'SIGSEGV' || signal === 'SIGBUS' || signal === 'SIGILL' || signal === 'SIGFPE')
    return `${killed}: native code failed`
  return killed
}

function signalHint(signal: NodeJS.Signals): string | null {
  if (signal === 'SIGKILL') return '`dmesg` names the process if it was the kernel'
  if (signal === 'SIGILL') return 'this CPU may lack an instruction that the runtime needs'
  return null
}

/** TL_MODEL_UNLOADABLE → ModelUnloadable. */
function reasonOf(code: string): string {
  return code
    .slice('TL_'.length)
    .split('_')
    .map((word) => `${word[0]}${word.slice(1).toLowerCase()}`)
    .join('')
}

/** Of its last words at most 300 characters; empty: it said nothing. */
export function lastLine(text: string): string {
  return (findLastWords(text) ?? '').slice(0, 300)
}

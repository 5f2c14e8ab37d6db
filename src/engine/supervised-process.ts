import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hasErrno } from '../base/errors.ts'
import { type ProcessIdentity, identifyProcess, isRunning } from '../base/process/process-identity.ts'

export type ProcessExit =
  | { readonly kind: 'Code'; readonly code: number }
  | { readonly kind: 'Signal'; readonly signal: NodeJS.Signals }
  /** It was adopted from an earlier engine, and the kernel tells the exit code to the parent only. */
  | { readonly kind: 'Unseen' }
  | { readonly kind: 'NotStarted'; readonly message: string }

/** A process that outlives the engine: started by this one, or taken over from an earlier one. */
export interface SupervisedProcess {
  readonly identity: ProcessIdentity
  /** Undefined while it runs. */
  exit(): ProcessExit | undefined
  /** Nothing happens when it has ended. */
  signal(name: NodeJS.Signals): void
}

export interface Launch {
  readonly entry: URL
  readonly nodeFlags?: readonly string[]
  readonly configFile: string
  /** Begins empty. */
  readonly stderrFile: string
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Enforced by the kernel for as long as the process lives. Absent: as this process. */
  readonly limits?: ProcessLimits
  readonly onExit: () => void
}

export interface ProcessLimits {
  /** Files and connections together. */
  readonly openFiles: number
}

/**
 * The shell sets what Node cannot, then becomes the program, under the same pid. Never a core file: an abort in native code
 * would write gigabytes. And when the machine runs out of memory, the kernel takes this process before those that could
 * start it again. A lower limit that is in force already stays.
 */
const limitScript =
  'ulimit -c 0; ulimit -n "$1" 2>/dev/null; echo 500 2>/dev/null >/proc/self/oom_score_adj; shift; exec "$@"'

/** Its own session and no pipes: neither Ctrl-C in a terminal nor the end of the engine reaches it. */
export function launchProcess(launch: Launch): SupervisedProcess {
  let exit: ProcessExit | undefined
  const end = (seen: ProcessExit): void => {
    exit ??= seen
    launch.onExit()
  }
  const child = spawnDetached(launch)
  child.on('error', (error) => end({ kind: 'NotStarted', message: error.message }))
  child.on('exit', (code, signal) =>
    end(signal === null ? { kind: 'Code', code: code ?? 0 } : { kind: 'Signal', signal }),
  )
  // No pid: the error event follows. A child that has ended already has no start time any more, and its event follows too.
  const identity = (child.pid === undefined ? undefined : identifyProcess(child.pid)) ?? {
    pid: child.pid ?? 0,
    startTicks: 0,
  }
  return { identity, exit: () => exit, signal: (name) => sendSignal(identity, name) }
}

/** With a channel for messages when `channel` is true. */
export function spawnDetached(launch: Omit<Launch, 'onExit'>, { channel = false } = {}): ChildProcess {
  closeSync(openSync(launch.stderrFile, 'w', 0o640))
  // Appending, so that the file can be cut while the process writes to it.
  const appending = openSync(launch.stderrFile, 'a')
  try {
    const { limits, nodeFlags = [] } = launch
    const program = [process.execPath, ...nodeFlags, fileURLToPath(launch.entry), launch.configFile]
    const [command = '', ...args] =
      limits === undefined ? program : ['/bin/sh', '-c', limitScript, 'sh', String(limits.openFiles), ...program]
    const child = spawn(command, args, {
      detached: true,
      stdio: channel ? ['ignore', 'ignore', appending, 'ipc'] : ['ignore', 'ignore', appending],
      cwd: launch.cwd,
      env: launch.env,
    })
    child.unref()
    return child
  } finally {
    closeSync(appending)
  }
}

export function renderExit(exit: ProcessExit): string {
  switch (exit.kind) {
    case 'Code':
      return `exit code ${exit.code}`
    case 'Signal':
      return exit.signal
    case 'Unseen':
      return 'exit code unknown'
    case 'NotStarted':
      return exit.message
  }
}

export function adoptProcess(identity: ProcessIdentity): SupervisedProcess {
  let gone = false
  return {
    identity,
    exit: () => {
      gone ||= !isRunning(identity)
      return gone ? { kind: 'Unseen' } : undefined
    },
    signal: (name) => sendSignal(identity, name),
  }
}

export function sendSignal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return
  try {
    process.kill(identity.pid, name)
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

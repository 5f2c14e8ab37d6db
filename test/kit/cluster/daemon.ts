import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Namespaces, findChild } from './namespaces.ts'

/** One program of a cluster. It ends with the cluster's namespaces. */
export interface Daemon {
  readonly name: string
  /** Its last lines. */
  readLog(): string
  hasEnded(): boolean
  signal(signal: NodeJS.Signals): void
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>
}

const logTailBytes = 4000

/** Starts a program of a cluster. What it prints is appended to `NAME.log` in the cluster's folder. */
export function startDaemon(namespaces: Namespaces, name: string, program: string, args: readonly string[]): Daemon {
  const logFile = join(namespaces.folder, `${name}.log`)
  const log = openSync(logFile, 'a')
  const child = namespaces.spawn(program, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  const ended = once(child, 'close')
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const signal = (signal: NodeJS.Signals): void => {
    // `nsenter` waits for the program and passes no signal on.
    const pid = hasEnded() ? undefined : findChild(child.pid)
    if (pid === undefined) throw new Error(`${name} does not run`)
    process.kill(pid, signal)
    // It stops itself with the program, and would not see its end.
    if (signal === 'SIGCONT') child.kill(signal)
  }
  return {
    name,
    readLog: () => readFileSync(logFile, 'utf8').slice(-logTailBytes),
    hasEnded,
    signal,
    async kill() {
      signal('SIGKILL')
      await ended
    },
  }
}

/**
 * Looks each 50 ms until `look` answers true; what it throws counts as false. An error with the last lines of the daemons' logs where
 * one of them has ended or the time is over.
 */
export async function untilReady(
  what: string,
  daemons: readonly Daemon[],
  look: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const answer = await look().catch((error: unknown) => error)
    if (answer === true) return
    const dead = daemons.find((daemon) => daemon.hasEnded())
    if (dead !== undefined) throw new Error(`${what}: ${dead.name} ended:\n${dead.readLog()}`)
    if (performance.now() > endMs) {
      const logs = daemons.map((daemon) => `--- ${daemon.name}\n${daemon.readLog()}`).join('\n')
      throw new Error(`${what} was not ready in ${timeoutMs} ms:\n${logs}`, { cause: answer })
    }
    await sleep(50)
  }
}

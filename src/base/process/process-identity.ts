import { readFileSync } from 'node:fs'
import { hasErrno } from '../errors.ts'

/** One process, told apart from a later one that got the same pid: the kernel's start time goes with it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot at which the process started: field 22 of `/proc/<pid>/stat`. */
  readonly startTicks: number
}

/** The process now holding this pid, or undefined when there is none (a zombie counts as none). Linux only. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
  // The program's name, in brackets, may itself hold spaces and brackets: the fixed fields start after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTicks: Number(fields[19]) }
}

export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startTicks === startTicks
}

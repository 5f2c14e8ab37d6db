import { readFileSync } from 'node:fs'
import { hasErrno } from '../../base/errors.ts'
import { readResidentBytes } from '../replica/memory.ts'

/** What a process has used up to a moment. */
export interface ProcessUsage {
  /** Of all its threads, user and system. */
  readonly cpuMs: number
  readonly memoryBytes: number
}

/** Linux reports CPU time in hundredths of a second, whatever the kernel's own tick is. */
const tickMs = 10

/** Undefined when the process is gone. */
export function readUsage(pid: number): ProcessUsage | undefined {
  try {
    const cpuMs = parseCpuMs(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    const memoryBytes = readResidentBytes(pid)
    return cpuMs === undefined || memoryBytes === undefined ? undefined : { cpuMs, memoryBytes }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

/** The name may hold spaces and brackets: fields count from the last `)`. */
export function parseCpuMs(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  return Number.isFinite(user + system) ? (user + system) * tickMs : undefined
}

import { readFileSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { hasErrno } from '../base/errors.ts'
import { type ProcessIdentity, identifyProcess } from '../base/process/process-identity.ts'
import type { ProjectPaths } from './paths.ts'

export interface FoundProcess {
  /** Of its configuration, `run/<name>.config.json`. */
  readonly name: string
  readonly identity: ProcessIdentity
}

const configEnding = '.config.json'

/**
 * The running processes whose last argument is a configuration in this project's `run/`. The kernel's list cannot lag behind
 * as a file can: it also has what a killed engine started without living to write it down. Linux only.
 */
export function findProcesses({ run }: ProjectPaths): FoundProcess[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    const config = readArguments(entry).at(-1)
    if (config === undefined || !config.endsWith(configEnding) || dirname(config) !== run) return []
    const identity = identifyProcess(Number(entry))
    return identity === undefined ? [] : [{ name: basename(config, configEnding), identity }]
  })
}

function readArguments(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch (error) {
    // Ended meanwhile, or somebody else's.
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return []
    throw error
  }
}

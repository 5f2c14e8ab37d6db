import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * One rule for every command: `--project DIR`, else the nearest folder from here upwards that an engine has run in, else here.
 * A `.towline/` with nothing but attestations lies beside a spec, and is no project.
 * A project has one engine.
 */
export function findProjectDir(cwd: string, chosen: string | undefined): string {
  if (chosen !== undefined) return resolve(cwd, chosen)
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.towline', 'run'))) return folder
    if (dirname(folder) === folder) return cwd
  }
}

export const projectFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'DIR',
  brief: 'Project folder; default: the nearest one from here upwards with .towline/, else here',
} as const

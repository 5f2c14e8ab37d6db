import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../base/errors.ts'

/** Where one project keeps what its engine needs: `.towline/` beside its spec. */
export interface ProjectPaths {
  readonly projectDir: string
  readonly root: string
  /** Small files about running processes; worth nothing once all of them have ended. */
  readonly run: string
  readonly logs: string
  /** Copies of the models of all revisions that are kept, by content. */
  readonly models: string
  readonly state: string
  readonly socket: string
}

export function projectPaths(projectDir: string): ProjectPaths {
  const root = join(projectDir, '.towline')
  return {
    projectDir,
    root,
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    models: join(root, 'models'),
    state: join(root, 'state.sqlite'),
    socket: join(root, 'engine.sock'),
  }
}

export interface ProcessFiles {
  readonly config: string
  readonly announce: string
  readonly lease: string
  readonly log: string
  readonly stderr: string
}

export function processFiles({ run, logs }: ProjectPaths, name: string): ProcessFiles {
  return {
    config: join(run, `${name}.config.json`),
    announce: join(run, `${name}.state.json`),
    lease: join(run, `${name}.lease`),
    log: join(logs, `${name}.log`),
    stderr: join(logs, `${name}.stderr`),
  }
}

export function prepareProject({ projectDir, root, run, logs, models }: ProjectPaths): void {
  if (!existsSync(projectDir)) throw new TowlineError('TL_FILE_MISSING', projectDir)
  try {
    for (const folder of [root, run, logs, models]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    // Nothing in here belongs into a repository.
    if (!existsSync(join(root, '.gitignore'))) writeFileSync(join(root, '.gitignore'), '*\n')
  } catch (cause) {
    if (hasErrno(cause, 'ENOSPC', 'EDQUOT')) {
      throw new TowlineError('TL_DISK_FULL', `making ${root}`, { cause, hint: 'free some space and try again' })
    }
    throw new TowlineError('TL_FILE_UNWRITABLE', root, { cause, hint: 'the project folder must be writable for you' })
  }
}

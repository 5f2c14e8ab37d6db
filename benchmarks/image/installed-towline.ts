import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeEntries, digestCode } from '../../src/image/runtime/own-code.ts'
import { type RuntimeLock, readRuntimeLock } from '../../src/image/runtime/runtime-lock.ts'
import { runProgram } from '../../test/kit/containers/program.ts'

/** Towline as npm installs it: built modules in `dist/`, whose runtime lock names them by digest. */
export interface InstalledTowline {
  /** The `towline` command as a process of its own, from Node's start to its end. What it prints. */
  run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string>
  /** Adds one line to a module of the replica, and has the lock name it, as another release of Towline would. */
  editModule(line: string): void
}

/** In every image's code layer. */
export const editedModule = codeEntries[0] ?? ''

const root = join(import.meta.dirname, '..', '..')

/** Compiles the sources into `folder`, with the packages of this clone. */
export function installTowline(folder: string): InstalledTowline {
  const dist = join(folder, 'dist')
  const how = ['-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false', '--outDir', dist]
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), how, { cwd: root, stdio: ['ignore', 2, 2] })
  mkdirSync(join(folder, 'bin'))
  for (const path of ['bin/towline.mjs', 'package.json']) cpSync(join(root, path), join(folder, path))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

  const { lock } = readRuntimeLock()
  const writeLock = (): void => {
    const digest = digestCode(dist, lock.code.files)
    if (digest === undefined) throw new Error('the runtime lock names other modules: run `npm run generate`')
    const edited: RuntimeLock = { ...lock, code: { ...lock.code, digest } }
    writeFileSync(join(dist, 'image', 'runtime', 'runtime-lock.json'), `${JSON.stringify(edited, undefined, 2)}\n`)
  }
  writeLock()
  return {
    async run(args, cwd, env) {
      const command = [join(folder, 'bin', 'towline.mjs'), ...args]
      return (await runProgram(process.execPath, command, { cwd, env })).out
    },
    editModule(line) {
      appendFileSync(join(dist, editedModule), line)
      writeLock()
    },
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export const root = join(import.meta.dirname, '..', '..')
export const example = join(root, 'examples', 'image-classifier')
const main = join(root, 'src', 'cli', 'main.ts')

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the real command to its end. */
export async function towline(args: readonly string[], cwd = root): Promise<Outcome> {
  return collect(spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: plainEnv() }))
}

export function start(
  args: readonly string[],
  { cwd = root, entry = main, env = {} }: { cwd?: string; entry?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  return spawn(process.execPath, [entry, ...args], { cwd, stdio: [...stdio], env: { ...plainEnv(), ...env } })
}

export async function collect(child: ChildProcess): Promise<Outcome> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  return { code: await promise, out, err }
}

/** Resolves with what was printed so far once it fits `pattern`; rejects when the program ends before. */
export async function untilPrinted(child: ChildProcess, pattern: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  const read = (chunk: Buffer): void => {
    text += chunk.toString()
    if (pattern.test(text)) resolve(text)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  child.once('close', () => reject(new Error(`it ended without printing ${pattern}:\n${text}`)))
  return promise
}

/** A folder of its own for an engine; whatever still runs in it at the end is killed. */
export function createProject(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-e2e-'))
  t.after(() => {
    for (const pid of findProcesses(folder)) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Pids of the processes whose command line names this text. */
export function findProcesses(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text)
      } catch {
        return false
      }
    })
    .map(Number)
}

function plainEnv(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...rest } = process.env
  return rest
}

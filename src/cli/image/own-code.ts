import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { compileArguments, digestCode } from '../../image/runtime/own-code.ts'
import type { LockedCode } from '../../image/runtime/runtime-lock.ts'

const sourceRoot = fileURLToPath(new URL('../..', import.meta.url))
const projectRoot = dirname(sourceRoot.replace(/\/$/, ''))

/** What was compiled, a folder for each digest. */
export function codeCache(cache: string): string {
  return join(cache, 'code')
}

/**
 * The folder of Towline's own built code as the runtime lock names it. An installed package carries it; a clone compiles it
 * once and keeps it. TL_PACKAGE_MISMATCH when it is not what the lock says.
 */
export async function findOwnCode(code: LockedCode, cache: string): Promise<string> {
  if (!import.meta.url.endsWith('.ts')) return checked(sourceRoot, code, 'install the package again')
  const folder = join(codeCache(cache), code.digest.replace('sha256:', ''))
  if (digestCode(folder, code.files) !== code.digest) await compile(folder, code)
  // What was used lately is not pruned.
  const now = new Date()
  await utimes(folder, now, now)
  return checked(folder, code, 'the sources were changed: run `npm run generate`')
}

function checked(folder: string, code: LockedCode, hint: string): string {
  const digest = digestCode(folder, code.files)
  if (digest === code.digest) return folder
  const seen = digest === undefined ? 'a module is missing' : `it has ${digest}`
  throw new TowlineError('TL_PACKAGE_MISMATCH', `towline's own code in ${folder}: ${seen}, the lock ${code.digest}`, {
    hint,
  })
}

/** The compiler is a development package of the clone, which the first start may have left out. */
async function compile(folder: string, code: LockedCode): Promise<void> {
  const compiler = join(projectRoot, 'node_modules', '.bin', 'tsc')
  if (!existsSync(compiler)) await run(process.execPath, [join(projectRoot, 'scripts', 'install.mjs')])
  await mkdir(dirname(folder), { recursive: true })
  const draft = await mkdtemp(`${folder}.`)
  try {
    await run(compiler, compileArguments(draft))
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
      // Another build was quicker, or what lies there is damaged.
      if (digestCode(folder, code.files) === code.digest) return
      await rm(folder, { recursive: true, force: true })
      await rename(draft, folder)
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = Promise.withResolvers<number | null>()
  child.on('error', ended.reject)
  child.on('close', ended.resolve)
  if ((await ended.promise) === 0) return
  throw new TowlineError(
    'TL_PACKAGE_UNAVAILABLE',
    `towline's own code cannot be built: ${output.trim().slice(-2000)}`,
    {
      hint: 'run `npm ci --ignore-scripts` in the clone',
    },
  )
}

import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { formatPackage, type LockedPackage } from './locked-package.ts'

/** Puts the tarballs of these packages into a folder, and says under which paths. Whoever calls checks them. */
export type FetchPackages = (
  packages: readonly LockedPackage[],
  folder: string,
  signal?: AbortSignal,
) => Promise<readonly string[]>

const shownLines = 4
const keptChars = 64 << 10
/** npm's own first pause is 10 s and its second 60 s: too long for a person who waits for a build. */
const pauses = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
const nameAndVersion = /^(?:@[\w.~-]+\/)?[\w.~-]+@\d[\w.+-]*$/

/**
 * Through the `npm` on PATH, which knows this person's registry, proxy and login; no script of a package is run.
 * TL_PACKAGE_UNAVAILABLE with what npm said; the signal's reason when it aborts.
 */
export const fetchWithNpm: FetchPackages = async (packages, folder, signal) => {
  const specs = packages.map(formatPackage)
  // The lock says name and version; anything else, such as a path or an option, would mean something else to npm.
  const odd = specs.find((spec) => !nameAndVersion.test(spec))
  if (odd !== undefined)
    throw new TowlineError('TL_PACKAGE_UNAVAILABLE', `${JSON.stringify(odd)} is no name and version of a package`)
  const options = ['--ignore-scripts', '--pack-destination', folder, '--prefer-offline', '--json', '--loglevel=error']
  const said = await runNpm(['pack', ...specs, ...options, ...pauses], signal)
  if (said.code !== 0 && /\bENOSPC\b/.test(said.reason))
    throw new TowlineError('TL_DISK_FULL', `fetching packages to ${folder}`, { hint: 'free some space and try again' })
  if (said.code !== 0)
    throw new TowlineError('TL_PACKAGE_UNAVAILABLE', `npm could not fetch ${list(specs)}: ${said.reason}`, {
      hint: 'with a network, `npm ping` shows whether the registry answers; what was fetched once is not fetched again',
    })
  const files = await readdir(folder)
  return files.filter((file) => file.endsWith('.tgz')).map((file) => join(folder, file))
}

async function runNpm(
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ readonly code: number | null; readonly reason: string }> {
  signal?.throwIfAborted()
  const closed = Promise.withResolvers<number | null>()
  const child = spawn('npm', args, { stdio: ['ignore', 'ignore', 'pipe'], ...(signal === undefined ? {} : { signal }) })
  let said = ''
  let failure: unknown
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, keptChars)
  })
  child.once('error', (error) => (failure = error))
  // Also after an error, and not before: until then npm may still write to the folder.
  child.once('close', closed.resolve)
  const code = await closed.promise
  signal?.throwIfAborted()
  if (hasErrno(failure, 'ENOENT', 'EACCES'))
    throw new TowlineError('TL_PACKAGE_UNAVAILABLE', 'npm is not on PATH', {
      cause: failure,
      hint: 'install Node.js with npm on this machine; the image itself holds none',
    })
  if (failure !== undefined) throw failure
  return { code, reason: pickLines(said) }
}

/** The lines that say what is wrong. npm writes them before a stack and a dump of the error, which are indented. */
export function pickLines(said: string): string {
  const lines = stripVTControlCharacters(said)
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trimEnd())
    .filter(
      (line) => line !== '' && !/^(?:\s|\}|syscall |errno |network$|A complete log of this run|.*_logs\/)/.test(line),
    )
  return lines.slice(0, shownLines).join('; ') || 'it said nothing'
}

function list(specs: readonly string[]): string {
  return specs.length <= 3 ? specs.join(', ') : `${specs.slice(0, 3).join(', ')} and ${specs.length - 3} more`
}

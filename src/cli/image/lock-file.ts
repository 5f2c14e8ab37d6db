import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { formatReference, parseReference } from '../../image/registry/reference.ts'
import { readBytes } from '../../spec/source/read-bytes.ts'
import { type Lock, parseLock, renderLock } from '../../spec/lock.ts'
import { printDiagnostics } from '../term/failure.ts'
import type { Terminal } from '../term/terminal.ts'

/** `towline.yaml` → `towline.lock`, and with the overlay `production` → `towline.production.lock`. */
export function lockFileOf(specFile: string, overlay: string | undefined): string {
  const stem = basename(specFile).replace(/(\.config)?\.[^.]+$/, '')
  return join(dirname(specFile), `${[stem, ...(overlay === undefined ? [] : [overlay])].join('.')}.lock`)
}

/** Undefined when there is none. A damaged one is never passed over: what it pinned is not known. */
export async function readLock(terminal: Terminal, file: string): Promise<Lock | undefined> {
  if (!existsSync(file)) return undefined
  const { lock, diagnostics } = await parseLock(file, await readBytes(file))
  printDiagnostics(terminal, diagnostics)
  if (lock === undefined || hasErrors(diagnostics))
    throw new TowlineError('TL_LOCK_UNREADABLE', file, { hint: 'delete it, and `towline build` writes it anew' })
  return lock
}

/** Returns whether it changed. */
export function writeLock(file: string, lock: Lock): boolean {
  const text = renderLock(lock)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false
  writeFileAtomic(file, text)
  return true
}

/** Every lock beside the spec that pins this image gets the name that it was pushed under. Returns those that changed. */
export async function nameInLocks(specDir: string, digest: string, reference: string): Promise<readonly string[]> {
  const { registry, repository } = parseReference(reference)
  const image = `${formatReference({ registry, repository })}@${digest}`
  const changed: string[] = []
  const entries = readdirSync(specDir, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && isLockName(entry.name),
  )
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = join(specDir, name)
    const { lock } = await readBytes(file)
      .then((bytes) => parseLock(file, bytes))
      .catch(ignoreUnreadable)
    if (lock?.image?.endsWith(`@${digest}`) === true && writeLock(file, { ...lock, image })) changed.push(file)
  }
  return changed
}

function isLockName(name: string): boolean {
  return name.endsWith('.lock') && !name.startsWith('.')
}

/** After a push nothing may fail any more because of somebody else's file. */
function ignoreUnreadable(error: unknown): { readonly lock?: Lock } {
  if (error instanceof TowlineError) return {}
  throw error
}

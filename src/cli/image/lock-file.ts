import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
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
  const { lock, diagnostics } = await parseLock(file, readFileSync(file))
  printDiagnostics(terminal, diagnostics)
  if (lock === undefined || hasErrors(diagnostics))
    throw new TowlineError('TL_SPEC_INVALID', file, { hint: 'mend it, or delete it: `towline build` writes it again' })
  return lock
}

/** Returns whether it changed. */
export function writeLock(file: string, lock: Lock): boolean {
  const text = renderLock(lock)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false
  writeFileAtomic(file, text)
  return true
}

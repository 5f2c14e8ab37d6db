import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
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

/** Every lock beside the spec that pins this image gets the name that it was pushed under. Returns those that changed. */
export function nameInLocks(specDir: string, digest: string, reference: string): readonly string[] {
  const name = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  const pinned = new RegExp(`^image: .*@${digest}$`, 'm')
  const changed: string[] = []
  for (const entry of readdirSync(specDir)
    .filter((candidate) => candidate.endsWith('.lock'))
    .toSorted()) {
    const file = join(specDir, entry)
    const text = statSync(file).isFile() ? readFileSync(file, 'utf8') : ''
    const next = text.replace(pinned, `image: ${name}@${digest}`)
    if (next === text) continue
    writeFileAtomic(file, next)
    changed.push(file)
  }
  return changed
}

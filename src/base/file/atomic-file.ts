import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { TowlineError, hasErrno } from '../errors.ts'

/** Replaces `path` in one step: a reader sees the old content or the new, never a part. Durable once it returns. */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): void {
  const draft = `${path}.${process.pid}.draft`
  try {
    const fd = openSync(draft, 'w', mode)
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, path)
  } catch (cause) {
    rmSync(draft, { force: true })
    if (hasErrno(cause, 'ENOSPC', 'EDQUOT'))
      throw new TowlineError('TL_DISK_FULL', `writing ${path}`, { cause, hint: 'free some space and try again' })
    throw new TowlineError('TL_FILE_UNWRITABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
}

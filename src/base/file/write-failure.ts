import { TowlineError, hasErrno } from '../errors.ts'

/**
 * What the disk says about something that was to be written, in words: TL_DISK_FULL, TL_FILE_UNWRITABLE with the system's code.
 * What is explained already, and what no system said, stays as it is.
 */
export function explainWrite(cause: unknown, what: string): unknown {
  if (cause instanceof TowlineError || !(cause instanceof Error) || !('code' in cause)) return cause
  if (hasErrno(cause, 'ENOSPC', 'EDQUOT'))
    return new TowlineError('TL_DISK_FULL', `writing ${what}`, { cause, hint: 'free some space and try again' })
  return new TowlineError('TL_FILE_UNWRITABLE', `${what} (${String(cause.code)})`, { cause })
}

import { TowlineError } from '../base/errors.ts'

/** Primary result codes of SQLite that say something about the machine rather than about our own SQL. */
const busy = 5
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26

/** The failure a person can act on; an SQL mistake of ours stays the plain Error it is. */
export function explainSqliteError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error
  // The upper bits hold the extended code, e.g. 1290 = 10 | 5 << 8.
  switch (Number(error.errcode) & 0xff) {
    case busy:
      return new TowlineError('TL_ENGINE_RUNNING', `${file} is in use by another process`, {
        cause: error,
        hint: 'use the engine that runs: `towline status` shows it, `towline down` ends it',
      })
    case full:
      return new TowlineError('TL_DISK_FULL', `writing ${file}`, {
        cause: error,
        hint: 'free some space and try again',
      })
    case corrupt:
    case notADatabase:
      return unusableState(file, error.message, error)
    case ioError:
    case readOnly:
    case cannotOpen:
      return new TowlineError('TL_FILE_UNWRITABLE', `${file} (${error.message})`, {
        cause: error,
        hint: 'its folder must exist and be writable for you',
      })
    default:
      return error
  }
}

export function unusableState(file: string, why: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_STATE_UNUSABLE', `${file}: ${why}`, {
    cause,
    hint: `move ${file} away and start again; running replicas end by themselves when their lease is over`,
  })
}

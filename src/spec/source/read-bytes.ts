import { readFile } from 'node:fs/promises'
import { hasErrno, TowlineError } from '../../base/errors.ts'

/** A file that a person named. TL_FILE_MISSING, TL_FILE_UNREADABLE. */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR'))
      throw new TowlineError('TL_FILE_MISSING', file, { cause, hint: 'give the path of a file that is there' })
    if (cause instanceof Error && 'code' in cause)
      throw new TowlineError('TL_FILE_UNREADABLE', `${file} (${String(cause.code)})`, { cause })
    throw cause
  }
}

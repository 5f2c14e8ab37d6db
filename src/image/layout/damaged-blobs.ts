import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { hashFile } from '../../base/file/hash-file.ts'
import { type Digest, isDigest } from '../oci/descriptor.ts'

/** Reads all of the file. False also when it is not there. TL_FILE_UNREADABLE. */
export async function hasDigest(path: string, digest: Digest): Promise<boolean> {
  try {
    return `sha256:${(await hashFile(path)).toString('hex')}` === digest
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return false
    throw new TowlineError('TL_FILE_UNREADABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
}

/** Reads every blob of a folder `sha256` and removes those that are not what their name says. Returns how many. */
export async function removeDamagedBlobs(folder: string): Promise<number> {
  let removed = 0
  for (const hex of await readdir(folder)) {
    const digest = `sha256:${hex}`
    const path = join(folder, hex)
    if (!isDigest(digest) || (await hasDigest(path, digest))) continue
    await rm(path, { force: true })
    removed += 1
  }
  return removed
}

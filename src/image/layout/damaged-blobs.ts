import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { type Digest, isDigest } from '../oci/descriptor.ts'

const readBytes = 1 << 20

/** Reads all of the file. False also when it is not there. TL_FILE_UNREADABLE. */
export async function hasDigest(path: string, digest: Digest): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: readBytes })) hash.update(chunk as Buffer)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return false
    throw new TowlineError('TL_FILE_UNREADABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
  return `sha256:${hash.digest('hex')}` === digest
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

import { type Stats, constants, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { chmod, copyFile, link, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'
import { newShortId } from '../../base/id.ts'
import type { BlobReader, BlobStore } from '../oci/blobs.ts'
import type { Descriptor, Digest } from '../oci/descriptor.ts'
import { checkBlob } from '../oci/blob-check.ts'
import type { MendableCache } from '../mended-cache.ts'
import { hasDigest, removeDamagedBlobs } from './damaged-blobs.ts'

/**
 * Blobs as files `sha256/<hex>`. Safe for many writers at once, also of the same blob, in many processes. `has` looks at the
 * name alone; `put` and `adopt` read what is there already, and replace it when it is damaged.
 */
export interface BlobFolder extends BlobStore, MendableCache {
  readonly folder: string
  /** Where the blob is or would be. */
  pathOf(digest: Digest): string
  /**
   * Takes a file whose digest the caller knows, without reading it: as a hard link, or as a copy where that cannot be. The
   * file must not be changed afterwards. TL_BLOB_MISMATCH when its size is another.
   */
  adopt(descriptor: Descriptor, file: string): Promise<void>
}

/** Beside `sha256`, so that no reader takes an unfinished file for a blob. */
const draftsName = '.drafts'
/** A writer writes to its draft more often than that, so one that is older has lost its writer. */
const draftLifeMs = 3_600_000
const readBytes = 256 << 10

/** Makes the folder where it is missing, and removes what killed writers left. TL_FILE_UNWRITABLE, TL_DISK_FULL. */
export function openBlobFolder(folder: string, nowMs = Date.now()): BlobFolder {
  const drafts = join(folder, draftsName)
  try {
    mkdirSync(join(folder, 'sha256'), { recursive: true })
    mkdirSync(drafts, { recursive: true })
    removeOldDrafts(drafts, nowMs)
  } catch (cause) {
    throw explain(cause, `the folder of blobs ${folder}`)
  }
  const { pathOf, open } = readBlobFolder(folder)
  const has = (digest: Digest): Promise<boolean> => touch(pathOf(digest))
  const keeps = async ({ digest, size }: Descriptor): Promise<boolean> =>
    (await statOf(pathOf(digest)))?.size === size && (await hasDigest(pathOf(digest), digest)) && (await has(digest))
  const keep = async (descriptor: Descriptor, fill: (draft: string) => Promise<void>): Promise<void> => {
    const draft = join(drafts, `${descriptor.digest.slice(7, 19)}-${process.pid}-${newShortId(8)}`)
    try {
      await fill(draft)
      await rename(draft, pathOf(descriptor.digest))
    } catch (cause) {
      throw explain(cause, `${descriptor.digest} (${descriptor.size} bytes) in ${folder}`)
    } finally {
      // Also after a rename: between two links of one file it does nothing.
      await rm(draft, { force: true })
    }
  }
  return {
    folder,
    pathOf,
    has,
    open,
    put: async (descriptor, chunks) => {
      if (await keeps(descriptor)) return
      await keep(descriptor, (draft) => write(draft, checkBlob(descriptor, passOn(chunks), 'what was to be kept')))
    },
    adopt: async (descriptor, file) => {
      const { digest, size } = descriptor
      const given = await statOf(file)
      if (given?.size !== size)
        throw new TowlineError('TL_BLOB_MISMATCH', `${file} has ${given?.size} bytes, not the ${size} of ${digest}`)
      const kept = await statOf(pathOf(digest))
      if (kept !== undefined && kept.ino === given.ino && kept.dev === given.dev) await has(digest)
      else if (!(await keeps(descriptor))) await keep(descriptor, (draft) => linkOrCopy(file, draft))
    },
    removeDamaged: () => removeDamagedBlobs(join(folder, 'sha256')),
  }
}

/** A folder that is only read: nothing in it is made, touched or removed. */
export function readBlobFolder(folder: string): BlobReader & Pick<BlobFolder, 'pathOf'> {
  const pathOf = (digest: Digest): string => join(folder, digest.replace(':', '/'))
  return {
    pathOf,
    has: async (digest) => (await statOf(pathOf(digest))) !== undefined,
    open: (descriptor, startByte = 0) => readFrom(pathOf(descriptor.digest), startByte),
  }
}

async function* readFrom(path: string, start: number): AsyncGenerator<Uint8Array> {
  try {
    // Opening a pipe that nobody writes to would wait for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      if (!(await handle.stat()).isFile())
        throw new TowlineError('TL_IMAGE_UNREADABLE', `the blob ${path} is no regular file`)
      yield* handle.createReadStream({ start, highWaterMark: readBytes, autoClose: false }) as AsyncIterable<Buffer>
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    const why = hasErrno(cause, 'ENOENT') ? 'is not there' : String((cause as NodeJS.ErrnoException).code)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `the blob ${path} (${why})`, {
      cause,
      hint: 'build or fetch the image again',
    })
  }
}

async function write(draft: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(draft, 'wx', 0o644)
  try {
    await file.writeFile(chunks)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function linkOrCopy(file: string, draft: string): Promise<void> {
  try {
    await link(file, draft)
  } catch (error) {
    // Another file system, one without links, or a file of another user that must not be linked.
    if (!hasErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES')) throw error
    await copyFile(file, draft, constants.COPYFILE_FICLONE)
  }
}

/** What the source of the bytes says must not be taken for something that the disk says. */
class SourceFailure extends Error {}

async function* passOn(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    throw new SourceFailure('the source failed', { cause })
  }
}

/**
 * Sets the time of the last change of status, which says to the collection of garbage that somebody counts on this blob.
 * Content, mode and time of modification stay: the file may be a link to somebody's own. False when it is not there.
 */
export async function touch(path: string): Promise<boolean> {
  try {
    await chmod(path, (await stat(path)).mode & 0o7777)
    return true
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false
    // Of another user, or on a disk that is only read: nobody collects there in our name.
    if (hasErrno(error, 'EPERM', 'EROFS')) return true
    throw explain(error, path)
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    throw new TowlineError('TL_FILE_UNREADABLE', `${path} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
}

function removeOldDrafts(drafts: string, nowMs: number): void {
  for (const name of readdirSync(drafts)) {
    const path = join(drafts, name)
    // The time of modification of a linked file is that of the original.
    const writtenMs = statSync(path, { throwIfNoEntry: false })?.ctimeMs
    if (writtenMs !== undefined && nowMs - writtenMs > draftLifeMs) rmSync(path, { force: true })
  }
}

function explain(cause: unknown, what: string): unknown {
  return cause instanceof SourceFailure ? cause.cause : explainWrite(cause, what)
}

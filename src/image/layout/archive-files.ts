import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { posix } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { type ByteSource, readTar } from '../tar/reader.ts'

/** The files of an uncompressed tar archive, found without reading their contents. */
export interface ArchiveFiles {
  readonly archive: string
  has(path: string): boolean
  /** Undefined when there is no such file. */
  sizeOf(path: string): number | undefined
  /** TL_IMAGE_UNREADABLE when it is not there. */
  open(path: string, startByte?: number): AsyncIterable<Uint8Array>
}

interface Place {
  readonly startByte: number
  readonly sizeBytes: number
}

/** Docker's own archives hold a few hundred. */
const maxEntries = 100_000
/** Docker writes a layer that is there twice as a link to the other. */
const maxLinks = 8
const readBytes = 256 << 10

/** TL_FILE_MISSING, TL_FILE_UNREADABLE; TL_IMAGE_UNREADABLE for what is no tar archive, or a compressed one. */
export async function listArchive(archive: string): Promise<ArchiveFiles> {
  const places = new Map<string, Place>()
  const links = new Map<string, string>()
  const handle = await openFile(archive)
  try {
    await refuseCompressed(handle, archive)
    for await (const { path, kind, target, startByte, sizeBytes } of readTar(await seekingSource(handle), archive)) {
      if (kind === 'File') places.set(path, { startByte, sizeBytes })
      if (kind === 'Link') links.set(path, posix.join(posix.dirname(path), target))
      if (kind === 'HardLink') links.set(path, posix.normalize(target))
      if (places.size + links.size > maxEntries)
        throw new TowlineError('TL_IMAGE_UNREADABLE', `${archive} has more than ${maxEntries} files`)
    }
  } finally {
    await handle.close()
  }
  const find = (path: string): Place | undefined => {
    let at: string | undefined = path
    for (let hops = 0; at !== undefined && hops <= maxLinks; hops += 1) {
      const place = places.get(at)
      if (place !== undefined) return place
      at = links.get(at)
    }
    return undefined
  }
  return {
    archive,
    has: (path) => find(path) !== undefined,
    sizeOf: (path) => find(path)?.sizeBytes,
    open: (path, startByte = 0) => readPart(archive, path, find(path), startByte),
  }
}

async function* readPart(
  archive: string,
  path: string,
  place: Place | undefined,
  from: number,
): AsyncGenerator<Uint8Array> {
  if (place === undefined) throw new TowlineError('TL_IMAGE_UNREADABLE', `${archive} does not hold ${path}`)
  const { startByte, sizeBytes } = place
  if (from >= sizeBytes) return
  const range = { start: startByte + from, end: startByte + sizeBytes - 1, highWaterMark: readBytes }
  try {
    yield* createReadStream(archive, range) as AsyncIterable<Buffer>
  } catch (cause) {
    throw unreadable(archive, cause)
  }
}

async function openFile(archive: string): Promise<FileHandle> {
  try {
    const handle = await open(archive)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw new TowlineError('TL_FILE_MISSING', archive, { cause })
    throw unreadable(archive, cause)
  }
  throw new TowlineError('TL_FILE_UNREADABLE', `${archive} is no regular file`)
}

async function refuseCompressed(handle: FileHandle, archive: string): Promise<void> {
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  const hex = buffer.toString('hex')
  const program = hex.startsWith('1f8b') ? 'gunzip' : hex === '28b52ffd' ? 'zstd -d' : undefined
  if (program === undefined) return
  throw new TowlineError('TL_IMAGE_UNREADABLE', `${archive} is compressed, and is read only as docker save writes it`, {
    hint: `unpack it first with ${program}`,
  })
}

/** Skips without reading. */
async function seekingSource(handle: FileHandle): Promise<ByteSource> {
  const { size } = await handle.stat()
  let position = 0
  return {
    read: async (sizeBytes) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(sizeBytes), 0, sizeBytes, position)
      position += bytesRead
      return buffer.subarray(0, bytesRead)
    },
    skip: (sizeBytes) => {
      position += sizeBytes
      return Promise.resolve(position <= size)
    },
  }
}

function unreadable(archive: string, cause: unknown): TowlineError {
  return new TowlineError('TL_FILE_UNREADABLE', `${archive} (${String((cause as NodeJS.ErrnoException).code)})`, {
    cause,
  })
}

import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { arrangeEntries, type FileContent, type LayerEntry, parentsOf } from './entry.ts'
import { blockBytes, encodeHeader, paddingFor } from '../tar/header.ts'

const chunkBytes = 1 << 20
/** Of eleven octal digits, in seconds: the year 2242. */
const maxMtimeS = 0o77777777777

/**
 * The tar archive of these entries. Equal entries give equal bytes, on any machine and in any order: sorted, owner 0:0,
 * no names of users, one time for all (`mtimeS`, seconds since 1970), two zero blocks at the end and no more.
 * TL_CONTEXT_REFUSED for entries that no image may hold; TL_FILE_MISSING or TL_FILE_UNREADABLE, also for a file that
 * changed since it was listed.
 */
export async function* packLayer(entries: readonly LayerEntry[], mtimeS = 0): AsyncGenerator<Uint8Array> {
  if (!Number.isInteger(mtimeS) || mtimeS < 0 || mtimeS > maxMtimeS)
    throw new TowlineError('TL_USAGE', `the time of files is ${mtimeS}`, {
      hint: `SOURCE_DATE_EPOCH is whole seconds since 1970, from 0 to ${maxMtimeS}`,
    })
  const folders = new Set<string>()
  for (const entry of arrangeEntries(entries)) {
    for (const path of parentsOf(entry.path)) {
      if (folders.has(path)) continue
      folders.add(path)
      yield encodeHeader({ kind: 'Folder', path, mode: 0o755, sizeBytes: 0, mtimeS })
    }
    if (entry.kind === 'Link') {
      const { path, target } = entry
      yield encodeHeader({ kind: 'Link', path, target, mode: 0o777, sizeBytes: 0, mtimeS })
      continue
    }
    const sizeBytes = sizeOf(entry.content)
    yield encodeHeader({ kind: 'File', path: entry.path, mode: entry.mode, sizeBytes, mtimeS })
    if (entry.content.kind === 'Bytes') yield entry.content.bytes
    else yield* readUnchanged(entry.content)
    yield paddingFor(sizeBytes)
  }
  yield Buffer.alloc(2 * blockBytes)
}

/** In bytes. */
export function sizeOf(content: FileContent): number {
  return content.kind === 'Bytes' ? content.bytes.length : content.sizeBytes
}

/**
 * Exactly the bytes that were listed, or an error: a header that promises other bytes would break the whole archive.
 * TL_FILE_MISSING, TL_FILE_UNREADABLE.
 */
export async function* readUnchanged(content: Extract<FileContent, { kind: 'Disk' }>): AsyncGenerator<Uint8Array> {
  const { file, sizeBytes, sha256 } = content
  const handle = await openFile(file)
  try {
    const before = await handle.stat({ bigint: true })
    if (!before.isFile()) throw new TowlineError('TL_FILE_UNREADABLE', `${file} is no regular file`)
    if (before.size !== BigInt(sizeBytes)) throw changed(file, `it had ${sizeBytes} bytes and has ${before.size}`)
    const hash = sha256 === undefined ? undefined : createHash('sha256')
    for (let at = 0; at < sizeBytes;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes - at))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length)
      if (bytesRead === 0) throw changed(file, `it had ${sizeBytes} bytes and ends after ${at}`)
      at += bytesRead
      const chunk = buffer.subarray(0, bytesRead)
      hash?.update(chunk)
      yield chunk
    }
    const after = await handle.stat({ bigint: true })
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs)
      throw changed(file, 'it was written to meanwhile')
    const seen = hash?.digest('hex')
    if (seen !== sha256) throw changed(file, `its sha256 was ${String(sha256)} and is ${String(seen)}`)
  } finally {
    await handle.close()
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    // A pipe that has taken the file's place would wait for a writer.
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw new TowlineError('TL_FILE_MISSING', file, { cause })
    throw new TowlineError('TL_FILE_UNREADABLE', `${file} (${String((cause as NodeJS.ErrnoException).code)})`, {
      cause,
    })
  }
}

function changed(file: string, how: string): TowlineError {
  return new TowlineError('TL_FILE_UNREADABLE', `${file} changed while it was read: ${how}`, {
    hint: 'build again when nothing writes to it',
  })
}

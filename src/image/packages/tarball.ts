import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { findPathFault } from '../layer/entry.ts'
import { formatPackage, type LockedPackage } from './locked-package.ts'

/** Takes the content of one file of a package, or undefined to pass over it. */
export type FileSink = (
  path: string,
  sizeBytes: number,
) => ((content: AsyncIterable<Uint8Array>) => Promise<void>) | undefined

/**
 * Reads a package's tarball once, and gives its files to `sink` in their order, under their paths without the first folder
 * (`package/` mostly; npm takes any name). TL_PACKAGE_MISMATCH for what npm never packs: links, devices, paths that lead out, a file twice. The bytes of the tarball were verified before.
 */
export async function readTarball(tarball: string, locked: LockedPackage, sink: FileSink): Promise<void> {
  const { readable, writable } = createTarDecoder({ strict: true })
  const archive = createReadStream(tarball, { highWaterMark: 1 << 20 })
  const fed = pipeline(archive, createGunzip({ chunkSize: 1 << 18 }), async (chunks: AsyncIterable<Uint8Array>) => {
    const writer = writable.getWriter()
    try {
      for await (const chunk of chunks) await writer.write(chunk)
      await writer.close()
    } catch (error) {
      await writer.abort(error).catch(() => undefined)
      throw error
    }
  })
  // It is awaited below; until then a failure must not count as one that nobody looks at.
  fed.catch(() => undefined)
  const paths = new Set<string>()
  try {
    for await (const entry of readable) await readEntry(entry, locked, paths, sink)
    await fed
  } catch (cause) {
    archive.destroy()
    if (cause instanceof TowlineError || hasErrno(cause, 'ENOENT', 'EACCES', 'EIO', 'ENOSPC', 'EDQUOT')) throw cause
    throw mismatch(locked, `its tarball cannot be read (${String(cause)})`, cause)
  }
}

async function readEntry(
  { header, body }: ParsedTarEntry,
  locked: LockedPackage,
  paths: Set<string>,
  sink: FileSink,
): Promise<void> {
  const name = JSON.stringify(header.name)
  if (header.type === 'directory') return
  if (header.type !== 'file') throw mismatch(locked, `its tarball holds ${name}, a ${String(header.type)}`)
  const slash = header.name.indexOf('/')
  const path = header.name.slice(slash + 1)
  const fault = slash < 1 || header.name.startsWith('..') ? 'lies in no folder' : findPathFault(path)
  if (fault !== undefined) throw mismatch(locked, `its tarball holds ${name}, which ${fault}`)
  if (paths.has(path)) throw mismatch(locked, `its tarball holds ${name} twice`)
  paths.add(path)
  const take = sink(path, header.size)
  // Not `body.cancel()`: in modern-tar 0.8.6 that may end the body of the next file instead, which then never comes.
  await (take === undefined ? body.pipeTo(new WritableStream()) : take(body))
}

function mismatch(locked: LockedPackage, detail: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_PACKAGE_MISMATCH', `${formatPackage(locked)}: ${detail}`, {
    cause,
    hint: 'its publisher packed it so; leave it out or take another version',
  })
}

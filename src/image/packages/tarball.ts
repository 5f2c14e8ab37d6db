import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { findPathFault } from '../layer/entry.ts'
import { type TarEntry, readTar, sourceOf } from '../tar/reader.ts'
import { formatPackage, type LockedPackage } from './locked-package.ts'

/** Takes the content of one file of a package, or undefined to pass over it. */
export type FileSink = (
  path: string,
  sizeBytes: number,
) => ((content: AsyncIterable<Uint8Array>) => Promise<void>) | undefined

/**
 * Reads a package's tarball once, and gives its files to `sink` in their order, under their paths without the first folder
 * (`package/` mostly; npm takes any name). TL_PACKAGE_MISMATCH for what npm never packs: links, devices, paths that lead
 * out, a file twice. The bytes of the tarball were verified before.
 */
export async function readTarball(tarball: string, locked: LockedPackage, sink: FileSink): Promise<void> {
  const paths = new Set<string>()
  const unpacked = createGunzip({ chunkSize: 1 << 18 })
  // A failure of either reaches the one who reads; nobody else looks at it.
  const fed = pipeline(createReadStream(tarball, { highWaterMark: 1 << 20 }), unpacked).catch(() => undefined)
  try {
    for await (const entry of readTar(sourceOf(unpacked), tarball)) await readEntry(entry, locked, paths, sink)
  } catch (cause) {
    if (cause instanceof TowlineError && cause.code !== 'TL_IMAGE_UNREADABLE') throw cause
    if (hasErrno(cause, 'ENOENT', 'EACCES', 'EIO', 'ENOSPC', 'EDQUOT')) throw cause
    throw mismatch(locked, `its tarball cannot be read (${(cause as Error).message})`, cause)
  } finally {
    unpacked.destroy()
    await fed
  }
}

async function readEntry(entry: TarEntry, locked: LockedPackage, paths: Set<string>, sink: FileSink): Promise<void> {
  const { writtenPath, kind } = entry
  const name = JSON.stringify(writtenPath)
  if (kind === 'Folder') return
  if (kind !== 'File') throw mismatch(locked, `its tarball holds ${name}, ${kind === 'Other' ? 'a device' : 'a link'}`)
  const slash = writtenPath.indexOf('/')
  const path = writtenPath.slice(slash + 1)
  const fault = slash < 1 || writtenPath.startsWith('..') ? 'lies in no folder' : findPathFault(path)
  if (fault !== undefined) throw mismatch(locked, `its tarball holds ${name}, which ${fault}`)
  if (paths.has(path)) throw mismatch(locked, `its tarball holds ${name} twice`)
  paths.add(path)
  await sink(path, entry.sizeBytes)?.(entry.pieces())
}

function mismatch(locked: LockedPackage, detail: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_PACKAGE_MISMATCH', `${formatPackage(locked)}: ${detail}`, {
    cause,
    hint: 'its publisher packed it so; leave it out or take another version',
  })
}

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { hasErrno } from '../../base/errors.ts'
import { newShortId } from '../../base/id.ts'
import type { FileEntry } from '../layer/entry.ts'
import { fileNameOf, type LockedPackage } from './locked-package.ts'
import { readTarball } from './tarball.ts'

/** Which files of a package an image needs, by their path in the package: `dist/index.js`. */
export type KeepFile = (locked: LockedPackage, path: string) => boolean

interface UnpackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly sizeBytes: number
  readonly sha256: string
}

const filesFolder = 'files'
const listName = 'files.json'
const pathsName = 'paths.json'
/** Of package.json, read for the names of programs. */
const maxManifestBytes = 4 << 20

/** Undefined when it was never unpacked with these files, or not all of them are there as they were. */
export async function recallPackage(
  unpacked: string,
  locked: LockedPackage,
  keep: KeepFile,
): Promise<FileEntry[] | undefined> {
  const home = join(unpacked, fileNameOf(locked))
  const paths = await readList<string>(join(home, pathsName))
  if (paths === undefined) return undefined
  const now = new Date()
  await utimes(home, now, now)
  return await readUnpacked(join(home, keyOf(paths.filter((path) => keep(locked, path)))), locked)
}

async function readUnpacked(folder: string, locked: LockedPackage): Promise<FileEntry[] | undefined> {
  const files = await readList<UnpackedFile>(join(folder, listName))
  const entries: FileEntry[] = []
  for (const { path, mode, sizeBytes, sha256 } of files ?? []) {
    const file = join(folder, filesFolder, path)
    if ((await sizeOf(file)) !== sizeBytes) return undefined
    const content = { kind: 'Disk', file, sizeBytes, sha256 } as const
    entries.push({ kind: 'File', path: posix.join(locked.path, path), mode, content })
  }
  return files === undefined ? undefined : entries
}

/** Reads the tarball once and keeps what is kept, with a list of all paths, so that it need not be read again. */
export async function unpackPackage(
  unpacked: string,
  locked: LockedPackage,
  keep: KeepFile,
  tarball: string,
): Promise<void> {
  const home = join(unpacked, fileNameOf(locked))
  await mkdir(home, { recursive: true })
  const draft = await mkdtemp(join(home, '.draft-'))
  try {
    const paths: string[] = []
    const files: (Omit<UnpackedFile, 'mode'> & { readonly isNative: boolean })[] = []
    const manifest: Uint8Array[] = []
    await readTarball(tarball, locked, (path, sizeBytes) => {
      paths.push(path)
      const isManifest = path === 'package.json' && sizeBytes <= maxManifestBytes
      if (!keep(locked, path)) return isManifest ? (content) => collect(content, manifest) : undefined
      return async (content) => {
        const target = join(draft, filesFolder, path)
        files.push({ path, sizeBytes, ...(await writeContent(target, content, isManifest ? manifest : undefined)) })
      }
    })
    const programs = programsOf(Buffer.concat(manifest).toString())
    const listed = files.map(({ isNative, ...file }): UnpackedFile => ({
      ...file,
      mode: isNative && programs.has(file.path) ? 0o755 : 0o644,
    }))
    await writeFile(join(draft, listName), JSON.stringify(listed))
    await placeFolder(draft, join(home, keyOf(files.map(({ path }) => path))), locked)
    const list = join(home, `.${newShortId(10)}.draft`)
    await writeFile(list, JSON.stringify(paths))
    await rename(list, join(home, pathsName))
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function writeContent(
  target: string,
  content: AsyncIterable<Uint8Array>,
  copy: Uint8Array[] | undefined,
): Promise<{ readonly sha256: string; readonly isNative: boolean }> {
  await mkdir(dirname(target), { recursive: true })
  const hash = createHash('sha256')
  let start = Buffer.alloc(0)
  const handle = await open(target, 'wx', 0o644)
  try {
    for await (const chunk of content) {
      hash.update(chunk)
      copy?.push(chunk)
      if (start.length < 4) start = Buffer.concat([start, chunk.subarray(0, 4)])
      await handle.writeFile(chunk)
    }
  } finally {
    await handle.close()
  }
  return { sha256: hash.digest('hex'), isNative: start.toString('latin1', 0, 4) === '\x7fELF' }
}

async function collect(content: AsyncIterable<Uint8Array>, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of content) chunks.push(chunk)
}

/** The paths that `bin` names, as one text or by name; none when the manifest cannot be read, as then nothing could run it. */
function programsOf(manifest: string): ReadonlySet<string> {
  let bin: unknown
  try {
    bin = (JSON.parse(manifest) as { bin?: unknown } | null)?.bin
  } catch {
    return new Set()
  }
  const paths: unknown[] = typeof bin === 'string' ? [bin] : Object.values(bin ?? {})
  return new Set(paths.filter((path) => typeof path === 'string').map((path) => posix.normalize(path)))
}

/** Another build may have been quicker, and may be reading: what is whole stays. */
async function placeFolder(draft: string, folder: string, locked: LockedPackage): Promise<void> {
  try {
    await rename(draft, folder)
  } catch (error) {
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    if ((await readUnpacked(folder, locked)) !== undefined) return
    await rename(folder, `${draft}-damaged`)
    await rename(draft, folder)
    await rm(`${draft}-damaged`, { recursive: true, force: true })
  }
}

function keyOf(kept: readonly string[]): string {
  return hashOf(kept.toSorted()).slice(0, 32)
}

async function readList<T>(file: string): Promise<readonly T[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return Array.isArray(value) ? (value as readonly T[]) : undefined // written by `unpackPackage`
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

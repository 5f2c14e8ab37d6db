import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { hasErrno } from '../../base/errors.ts'
import type { FileEntry } from '../layer/entry.ts'
import { fileNameOf, type LockedPackage } from './locked-package.ts'
import { readTarball } from './tarball.ts'
import { type UnpackedFile, listName, listUnpacked, placeOf } from './unpacked-folder.ts'

/** Which files of a package an image needs. */
export interface KeptFiles {
  /** Stands for the rule: another rule has another key. */
  readonly key: string
  /** By the path in the package: `dist/index.js`. */
  keeps(path: string): boolean
}

/** Of package.json, read for the names of programs. */
const maxManifestBytes = 4 << 20

/** Undefined when it was never unpacked by this rule, or not all of its files are there as they were. */
export async function recallPackage(
  unpacked: string,
  locked: LockedPackage,
  { key }: KeptFiles,
): Promise<readonly FileEntry[] | undefined> {
  const home = join(unpacked, fileNameOf(locked))
  const folder = join(home, nameOf(key))
  const files = await listUnpacked(folder)
  if (files === undefined) return undefined
  const now = new Date()
  await utimes(home, now, now)
  return files.map(({ path, mode, sizeBytes, sha256 }) => ({
    kind: 'File',
    path: posix.join(locked.path, path),
    mode,
    content: { kind: 'Disk', file: placeOf(folder, path), sizeBytes, sha256 },
  }))
}

/** Reads the tarball once and keeps what the rule keeps. */
export async function unpackPackage(
  unpacked: string,
  locked: LockedPackage,
  { key, keeps }: KeptFiles,
  tarball: string,
): Promise<void> {
  const home = join(unpacked, fileNameOf(locked))
  await mkdir(home, { recursive: true })
  const draft = await mkdtemp(join(home, '.draft-'))
  try {
    const files: (Omit<UnpackedFile, 'mode'> & { readonly isNative: boolean })[] = []
    const manifest: Uint8Array[] = []
    await readTarball(tarball, locked, (path, sizeBytes) => {
      const isManifest = path === 'package.json' && sizeBytes <= maxManifestBytes
      if (!keeps(path)) return isManifest ? (content) => collect(content, manifest) : undefined
      return async (content) => {
        const target = placeOf(draft, path)
        files.push({ path, sizeBytes, ...(await writeContent(target, content, isManifest ? manifest : undefined)) })
      }
    })
    const programs = programsOf(Buffer.concat(manifest).toString())
    const listed = files.map(({ isNative, ...file }): UnpackedFile => ({
      ...file,
      mode: isNative && programs.has(file.path) ? 0o755 : 0o644,
    }))
    await writeFile(join(draft, listName), JSON.stringify(listed))
    await placeFolder(draft, join(home, nameOf(key)))
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
async function placeFolder(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder)
  } catch (error) {
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    if ((await listUnpacked(folder)) !== undefined) return
    await rename(folder, `${draft}-damaged`)
    await rename(draft, folder)
    await rm(`${draft}-damaged`, { recursive: true, force: true })
  }
}

function nameOf(key: string): string {
  return hashOf(key).slice(0, 32)
}

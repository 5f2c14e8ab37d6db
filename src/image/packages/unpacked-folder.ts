import { readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasErrno } from '../../base/errors.ts'
import { hashFile } from '../../base/file/hash-file.ts'
import { newShortId } from '../../base/id.ts'

/** One of the kept files of a package, as it came out of the tarball. */
export interface UnpackedFile {
  readonly path: string
  readonly mode: 0o644 | 0o755
  readonly sizeBytes: number
  readonly sha256: string
}

/** Beside the files: what they are. */
export const listName = 'files.json'
const filesFolder = 'files'

/** Where a file of an unpacked folder lies. */
export function placeOf(folder: string, path: string): string {
  return join(folder, filesFolder, path)
}

/** The files of one folder; undefined when it or one of them is not there in its size. Contents are not read. */
export async function listUnpacked(folder: string): Promise<readonly UnpackedFile[] | undefined> {
  const files = await readList(join(folder, listName))
  if (files?.every(isUnpackedFile) !== true) return undefined
  const sizes = await Promise.all(files.map(({ path }) => sizeOf(placeOf(folder, path))))
  return files.every(({ sizeBytes }, index) => sizes[index] === sizeBytes) ? files : undefined
}

/** A JSON file with a list; undefined for anything else, which is made again. */
async function readList(file: string): Promise<readonly unknown[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return Array.isArray(value) ? (value as readonly unknown[]) : undefined
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Reads all files of all unpacked packages and removes the folders in which one is not as it was. Returns how many. */
export async function removeDamagedFolders(unpacked: string): Promise<number> {
  let removed = 0
  for (const home of await listFolders(unpacked))
    for (const folder of await listFolders(home)) {
      if (await isWhole(folder)) continue
      // In one step: nobody finds half of it.
      const doomed = join(home, `.draft-${newShortId(8)}`)
      await rename(folder, doomed).catch(ignoreMissing)
      await rm(doomed, { recursive: true, force: true })
      removed += 1
    }
  return removed
}

async function isWhole(folder: string): Promise<boolean> {
  const files = await listUnpacked(folder)
  for (const { path, sha256 } of files ?? [])
    if ((await hashFile(placeOf(folder, path)).catch(ignoreMissing))?.toString('hex') !== sha256) return false
  return files !== undefined
}

/** Without drafts, which belong to a build that runs. */
async function listFolders(folder: string): Promise<string[]> {
  const children = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  })
  return children
    .filter((child) => child.isDirectory() && !child.name.startsWith('.'))
    .map(({ name }) => join(folder, name))
}

function isUnpackedFile(value: unknown): value is UnpackedFile {
  const { path, mode, sizeBytes, sha256 } = (value ?? {}) as { [K in keyof UnpackedFile]?: unknown }
  return (
    typeof path === 'string' &&
    (mode === 0o644 || mode === 0o755) &&
    Number.isSafeInteger(sizeBytes) &&
    typeof sha256 === 'string'
  )
}

/** Another build may prune or mend the same folder at this moment. */
function ignoreMissing(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

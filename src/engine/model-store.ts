import { createHash } from 'node:crypto'
import { constants, createReadStream, existsSync, statSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { hashOf } from '../base/canonical.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { newShortId } from '../base/id.ts'
import type { ProjectPaths } from './paths.ts'

/** A model as it was when it was applied: nobody edits this copy. */
export interface KeptModel {
  /** `sha256:…` over the names and contents of its files; the name of the model itself is not in it. */
  readonly digest: string
  /** Of the copy's folder or single file. */
  readonly path: string
}

const copying = 'copying-'

/**
 * Copies a model into the project's own folder, by content: a revision serves what it was made of, also after the file it
 * came from was changed in place, and a rollback finds it. Where the file system can share blocks, a copy costs none.
 */
export async function keepModel({ models }: ProjectPaths, path: string): Promise<KeptModel> {
  const printed = await printModel(path)
  const isFolder = statSync(path).isDirectory()
  const kept = locate(models, printed, isFolder)
  if (existsSync(kept.path)) return kept
  const folder = join(models, `${copying}${newShortId()}`)
  const copy = join(folder, nameOf(isFolder))
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // The very files that the digest is made of, and no others: not what a link to a folder leads to.
    const sources = isFolder ? await listFiles(path) : await listWithData(path)
    for (const source of sources) {
      const target = isFolder
        ? join(copy, relative(path, source))
        : source === path
          ? copy
          : join(folder, basename(source))
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await copyFile(source, target, constants.COPYFILE_FICLONE)
    }
    // Of the copy: the original may have changed while it was read. Its data files go by the name that it had.
    const digest = isFolder
      ? await printModel(copy)
      : await printFiles([copy, ...sources.slice(1).map((source) => join(folder, basename(source)))])
    await rename(folder, folderOf(models, digest)).catch((error: unknown) => {
      // Another application of the same model was quicker.
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    })
    return locate(models, digest, isFolder)
  } catch (cause) {
    if (hasErrno(cause, 'ENOSPC', 'EDQUOT'))
      throw new TowlineError('TL_DISK_FULL', `keeping a copy of ${path} in ${models}`, {
        cause,
        hint: 'free some space and try again; nothing was changed',
      })
    throw explain(cause, path)
  } finally {
    await remove(folder).catch(() => undefined) // what is left of it goes when the next engine starts
  }
}

/** Removes the copies that none of these digests names; `all`: also what an engine that was killed left half done. */
export async function pruneModels({ models }: ProjectPaths, kept: ReadonlySet<string>, all = false): Promise<void> {
  const needed = new Set([...kept].map((digest) => basename(folderOf(models, digest))))
  const entries = await readdir(models).catch(() => [])
  for (const entry of entries) {
    // One that is being copied belongs to nobody yet.
    if (needed.has(entry) || (entry.startsWith(copying) && !all)) continue
    await remove(join(models, entry))
  }
}

/** A hash over the names and contents of a model's files: `sha256:…`. TL_MODEL_MISSING, TL_FILE_UNREADABLE. */
export async function printModel(path: string): Promise<string> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new TowlineError('TL_MODEL_MISSING', `${path} does not exist`)
  try {
    if (!stat.isDirectory()) return await printFiles(await listWithData(path))
    return await print((await listFiles(path)).map((file) => [relative(path, file), file]))
  } catch (cause) {
    throw explain(cause, path)
  }
}

function explain(cause: unknown, path: string): unknown {
  return hasErrno(cause, 'EACCES', 'EPERM', 'ENOENT', 'ELOOP')
    ? new TowlineError('TL_FILE_UNREADABLE', `${path} (${(cause as Error).message})`, { cause })
    : cause
}

function locate(models: string, digest: string, isFolder: boolean): KeptModel {
  return { digest, path: join(folderOf(models, digest), nameOf(isFolder)) }
}

/** The same for equal contents, whatever the original was called. */
function nameOf(isFolder: boolean): string {
  return isFolder ? 'model' : 'model.onnx'
}

function folderOf(models: string, digest: string): string {
  return join(models, digest.replace('sha256:', '').slice(0, 32))
}

/** Copies of folders that nobody may write cannot be removed as they are. */
async function remove(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700)
  await rm(folder, { recursive: true, force: true })
}

/** A single model, first, and its data: the model's own name is not its content, the others are named in it. */
async function printFiles([model, ...data]: readonly string[]): Promise<string> {
  return await print([['', model ?? ''], ...data.map((file): [string, string] => [basename(file), file])])
}

async function print(files: readonly (readonly [name: string, file: string])[]): Promise<string> {
  const parts: [name: string, sha256: string][] = []
  for (const [name, file] of files) parts.push([name, await hashFile(file)])
  return `sha256:${hashOf(parts)}`
}

/** A single model file, with what exporters put beside it when it is large: `model.onnx.data`, `model.onnx_data`. */
async function listWithData(file: string): Promise<string[]> {
  const own = basename(file)
  const entries = await readdir(dirname(file), { withFileTypes: true })
  const data = entries
    .filter((entry) => !entry.isDirectory() && (entry.name.startsWith(`${own}.`) || entry.name.startsWith(`${own}_`)))
    .map(({ name }) => join(dirname(file), name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
  return [file, ...data.toSorted()]
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .toSorted()
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

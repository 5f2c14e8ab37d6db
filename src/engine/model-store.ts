import { createHash } from 'node:crypto'
import { constants, createReadStream, existsSync, rmSync, statSync } from 'node:fs'
import { cp, mkdir, readdir, rename } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { hashOf } from '../base/canonical.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { newShortId } from '../base/id.ts'
import type { ProjectPaths } from './paths.ts'

/** A model as it was when it was applied: nobody edits this copy. */
export interface KeptModel {
  /** Over the names and contents of its files. */
  readonly digest: string
  /** Of the copy's folder or single file. */
  readonly path: string
}

/**
 * Copies a model into the project's own folder, by content: a revision serves what it was made of, also after the file it
 * came from was changed in place, and a rollback finds it. Where the file system can share blocks, a copy costs none.
 */
export async function keepModel({ models }: ProjectPaths, path: string): Promise<KeptModel> {
  const printed = await printModel(path)
  const kept = locate(models, printed, path)
  if (existsSync(kept.path)) return kept
  const folder = join(models, `copying-${newShortId()}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const sources = statSync(path).isDirectory() ? [path] : await listWithData(path)
    for (const source of sources)
      await cp(source, join(folder, basename(source)), {
        recursive: true,
        dereference: true,
        preserveTimestamps: true,
        mode: constants.COPYFILE_FICLONE,
      })
    // Of the copy: the original may have changed while it was read.
    const digest = await printModel(join(folder, basename(path)))
    await rename(folder, join(models, nameOf(digest))).catch((error: unknown) => {
      // Another application of the same model was quicker.
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    })
    return locate(models, digest, path)
  } catch (cause) {
    if (hasErrno(cause, 'ENOSPC', 'EDQUOT'))
      throw new TowlineError('TL_DISK_FULL', `keeping a copy of ${path} in ${models}`, {
        cause,
        hint: 'free some space and try again; nothing was changed',
      })
    if (hasErrno(cause, 'EACCES', 'EPERM')) throw new TowlineError('TL_FILE_UNREADABLE', path, { cause })
    throw cause
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Removes the copies that none of these digests names. */
export async function pruneModels({ models }: ProjectPaths, kept: ReadonlySet<string>): Promise<void> {
  const names = new Set([...kept].map(nameOf))
  const entries = await readdir(models).catch(() => [])
  for (const entry of entries) {
    // One that is being copied belongs to nobody yet.
    if (names.has(entry) || entry.startsWith('copying-')) continue
    rmSync(join(models, entry), { recursive: true, force: true })
  }
}

function locate(models: string, digest: string, original: string): KeptModel {
  return { digest, path: join(models, nameOf(digest), basename(original)) }
}

function nameOf(digest: string): string {
  return digest.replace('sha256:', '').slice(0, 32)
}

/** A hash over the names and contents of a model's files: `sha256:…`. */
export async function printModel(path: string): Promise<string> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new TowlineError('TL_MODEL_MISSING', `${path} does not exist`)
  const folder = stat.isDirectory() ? path : dirname(path)
  const files = stat.isDirectory() ? await listFiles(path) : await listWithData(path)
  const parts: [name: string, sha256: string][] = []
  // The name of a single file is not its content; those of its data files are in it.
  for (const file of files) parts.push([file === path ? '' : relative(folder, file), await hashFile(file)])
  return `sha256:${hashOf(parts)}`
}

/** A single model file, with what exporters put beside it when it is large: `model.onnx.data`, `model.onnx_data`. */
async function listWithData(file: string): Promise<string[]> {
  const names = await readdir(dirname(file))
  const own = basename(file)
  return [own, ...names.filter((name) => name.startsWith(`${own}.`) || name.startsWith(`${own}_`)).toSorted()].map(
    (name) => join(dirname(file), name),
  )
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

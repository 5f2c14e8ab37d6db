import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { newShortId } from '../base/id.ts'
import { explainUnreadable, printFiles, printModel } from '../spec/model/model-print.ts'
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
  const { isFolder } = printed
  const kept = locate(models, printed.digest, isFolder)
  if (existsSync(kept.path)) return kept
  const folder = join(models, `${copying}${newShortId()}`)
  const copy = join(folder, nameOf(isFolder))
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // The very files that the digest is made of, and no others: not what a link to a folder leads to.
    for (const { name, file } of printed.files) {
      const target = join(isFolder ? copy : folder, name)
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await copyFile(file, target, constants.COPYFILE_FICLONE)
    }
    // Of the copy: the original may have changed while it was read.
    const copied = printed.files.map(({ name }) => [name, join(isFolder ? copy : folder, name)] as const)
    const { digest } = await printFiles(copied, isFolder)
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
    throw explainUnreadable(cause, path)
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

import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { hashFile } from '../../base/file/hash-file.ts'

/** What a model is made of, and the digest that stands for it. */
export interface ModelPrint {
  /** `sha256:…` over the names and contents of its files; the name of the model itself is not in it. */
  readonly digest: string
  readonly isFolder: boolean
  /** By name, a single model first. */
  readonly files: readonly ModelFile[]
}

export interface ModelFile {
  /** Inside the model: `card.yaml`, `sub/weights.bin`. A single model is `model.onnx` whatever its file is called. */
  readonly name: string
  /** Where it lies, as it was given: absolute when the model's path is. */
  readonly file: string
  readonly sizeBytes: number
  /** Of its content, in hexadecimal. */
  readonly sha256: string
}

/** What lies where a model is, before anything is read. */
export interface ModelListing {
  readonly isFolder: boolean
  /** The model's own, or the one in which a single model lies with its data. */
  readonly folder: string
  /** In the order in which they count. Also what is no regular file, and so no part of the model: links that lead to none, pipes. */
  readonly entries: readonly ModelEntry[]
  /** Relative to the folder. */
  readonly leftBehind: readonly string[]
}

export type ModelEntry = Pick<ModelFile, 'name' | 'file'>

/** By name: what git, Python, desktops and editors leave in a folder. No model is made of it. */
const leftBehind = /^(?:\.git|__pycache__|\.ipynb_checkpoints|\.DS_Store|.*~|\..*\.sw[op]|#.*#|\.#.*)$/

/** TL_MODEL_MISSING, TL_FILE_UNREADABLE. */
export async function listModel(path: string): Promise<ModelListing> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new TowlineError('TL_MODEL_MISSING', `${path} does not exist`)
  try {
    return stat.isDirectory() ? await listFolder(path) : await listWithData(path)
  } catch (cause) {
    throw explainUnreadable(cause, path)
  }
}

/** Reads every file of a model once. TL_MODEL_MISSING, TL_FILE_UNREADABLE. */
export async function printModel(path: string): Promise<ModelPrint> {
  const { entries, isFolder } = await listModel(path)
  try {
    const files = entries.filter(({ file }) => isFile(file))
    return await printFiles(
      files.map(({ name, file }) => [name, file]),
      isFolder,
    )
  } catch (cause) {
    throw explainUnreadable(cause, path)
  }
}

/** The same over files that are known, such as those of a copy. */
export async function printFiles(
  found: readonly (readonly [name: string, file: string])[],
  isFolder: boolean,
): Promise<ModelPrint> {
  const files: ModelFile[] = []
  for (const [name, file] of found)
    files.push({ name, file, sizeBytes: statSync(file).size, sha256: (await hashFile(file)).toString('hex') })
  return { digest: digestOf(files, isFolder), isFolder, files }
}

export function explainUnreadable(cause: unknown, path: string): unknown {
  return hasErrno(cause, 'EACCES', 'EPERM', 'ENOENT', 'ELOOP')
    ? new TowlineError('TL_FILE_UNREADABLE', `${path} (${(cause as Error).message})`, { cause })
    : cause
}

/** A single model's own name is not its content; those of its data are written inside it. */
function digestOf(files: readonly ModelFile[], isFolder: boolean): string {
  const parts = files.map(({ name, sha256 }, index) => [!isFolder && index === 0 ? '' : name, sha256])
  return `sha256:${hashOf(parts)}`
}

/** A single model file, with what exporters put beside it when it is large: `model.onnx.data`, `model.onnx_data`. */
async function listWithData(file: string): Promise<ModelListing> {
  const [own, folder] = [basename(file), dirname(file)]
  const beside = (await readdir(folder, { withFileTypes: true }))
    .filter(({ name }) => name.startsWith(`${own}.`) || name.startsWith(`${own}_`))
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => ({ name, file: join(folder, name) }))
    .toSorted(byFile)
  return {
    isFolder: false,
    folder,
    entries: [{ name: 'model.onnx', file }, ...beside.filter(({ name }) => !leftBehind.test(name))],
    leftBehind: beside.filter(({ name }) => leftBehind.test(name)).map(({ name }) => name),
  }
}

async function listFolder(folder: string): Promise<ModelListing> {
  const entries: ModelEntry[] = []
  const left: string[] = []
  const visit = async (parent: string): Promise<void> => {
    for (const child of await readdir(parent, { withFileTypes: true })) {
      const file = join(parent, child.name)
      if (leftBehind.test(child.name)) left.push(relative(folder, file))
      // Links to folders are not followed.
      else if (child.isDirectory()) await visit(file)
      else entries.push({ name: relative(folder, file), file })
    }
  }
  await visit(folder)
  return { isFolder: true, folder, entries: entries.toSorted(byFile), leftBehind: left.toSorted() }
}

/** The digest hangs on this order, which is that of UTF-16 units. */
function byFile(a: ModelEntry, b: ModelEntry): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : 0
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { hashOf } from '../../base/canonical.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'

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

/** By name: what git, Python, desktops and editors leave in a folder. No model is made of it. */
const leftBehind = /^(?:\.git|__pycache__|\.ipynb_checkpoints|\.DS_Store|.*~|\..*\.sw[op]|#.*#|\.#.*)$/

export function isLeftBehind(name: string): boolean {
  return leftBehind.test(name)
}

/** Reads every file of a model once. TL_MODEL_MISSING, TL_FILE_UNREADABLE. */
export async function printModel(path: string): Promise<ModelPrint> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new TowlineError('TL_MODEL_MISSING', `${path} does not exist`)
  try {
    const isFolder = stat.isDirectory()
    return await printFiles(isFolder ? await listFolder(path) : await listWithData(path), isFolder)
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
    files.push({ name, file, sizeBytes: statSync(file).size, sha256: await hashFile(file) })
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
async function listWithData(file: string): Promise<(readonly [name: string, file: string])[]> {
  const own = basename(file)
  const entries = await readdir(dirname(file), { withFileTypes: true })
  const data = entries
    .filter((entry) => !entry.isDirectory() && (entry.name.startsWith(`${own}.`) || entry.name.startsWith(`${own}_`)))
    .map(({ name }) => join(dirname(file), name))
    .filter(isFile)
  return [['model.onnx', file], ...data.toSorted().map((path): [string, string] => [basename(path), path])]
}

async function listFolder(folder: string): Promise<(readonly [name: string, file: string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).split('/').some(isLeftBehind) && isFile(file))
    .toSorted()
    .map((file) => [relative(folder, file), file])
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

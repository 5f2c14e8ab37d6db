import { constants, type Dirent } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { type Diagnostic, type SourceRange, sortDiagnostics } from '../../base/diagnostic.ts'
import { hasErrno, TowlineError } from '../../base/errors.ts'
import { createSourceText } from '../../base/source-text.ts'
import { findPathFault, type LayerEntry } from './entry.ts'
import { findSecretName, findSecrets, isKeyFile, maxSearchedBytes } from './secrets.ts'

/** What a folder gives to an image. With findings of severity error it must not be built. */
export interface Context {
  /** By path. */
  readonly entries: readonly LayerEntry[]
  /** Relative to the folder: what tools leave behind and no image needs. */
  readonly leftOut: readonly string[]
  readonly findings: readonly Diagnostic[]
}

interface Walk {
  /** As it was given, for messages. */
  readonly root: string
  readonly realRoot: string
  readonly imagePath: string
  readonly entries: LayerEntry[]
  readonly leftOut: string[]
  readonly findings: Diagnostic[]
}

/** Of git, Python, desktops and editors. */
const leftOut = /^(?:\.git|__pycache__|\.ipynb_checkpoints|\.DS_Store|.*~|\..*\.sw[op]|#.*#|\.#.*)$/

/**
 * The files of `root` as entries below `imagePath` (`''`: the image's root). A link to a file inside the folder becomes a
 * copy of it; a folder without files leaves nothing. What must not go into an image, or cannot be read, is a finding each.
 * TL_FILE_MISSING when `root` is no folder, TL_FILE_UNREADABLE.
 */
export async function listContext(root: string, imagePath: string): Promise<Context> {
  const stats = await stat(root).catch((cause: unknown) => explainRoot(root, cause))
  if (!stats.isDirectory()) throw new TowlineError('TL_FILE_MISSING', `${root} is no folder`)
  const walk: Walk = { root, realRoot: await realpath(root), imagePath, entries: [], leftOut: [], findings: [] }
  await visitFolder(walk, '')
  return { entries: walk.entries, leftOut: walk.leftOut, findings: sortDiagnostics(walk.findings) }
}

async function visitFolder(walk: Walk, folder: string): Promise<void> {
  let children: Dirent[]
  try {
    children = await readdir(join(walk.root, folder), { withFileTypes: true })
  } catch (error) {
    report(walk, folder, `the folder cannot be read (${codeOf(error)})`, 'give the right to read it')
    return
  }
  for (const child of children.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
    const path = folder === '' ? child.name : `${folder}/${child.name}`
    if (leftOut.test(child.name)) walk.leftOut.push(path)
    else if (child.isDirectory()) await visitFolder(walk, path)
    else await visitFile(walk, path, child)
  }
}

async function visitFile(walk: Walk, path: string, child: Dirent): Promise<void> {
  const file = child.isSymbolicLink() ? await followLink(walk, path) : join(walk.root, path)
  if (file === undefined) return
  // What a name in another encoding is read as; no file could be opened by it.
  if (child.name.includes('\uFFFD')) {
    report(walk, path, 'the name is not valid UTF-8', 'rename the file')
    return
  }
  const inImage = walk.imagePath === '' ? path : `${walk.imagePath}/${path}`
  const fault = findPathFault(inImage)
  if (fault !== undefined) report(walk, path, `the path ${fault}`, 'rename the file')
  try {
    const { mode, size } = await statRegular(file)
    await searchSecrets(walk, path, file, size)
    const content = { kind: 'Disk', file, sizeBytes: size } as const
    walk.entries.push({ kind: 'File', path: inImage, mode: (mode & 0o111) === 0 ? 0o644 : 0o755, content })
  } catch (error) {
    if (error instanceof NoFile) report(walk, path, error.message, 'remove it, or keep it outside this folder')
    else report(walk, path, `the file cannot be read (${codeOf(error)})`, 'give the right to read it, or remove it')
  }
}

/** The file that a link inside the folder leads to; undefined, and a finding, for any other link. */
async function followLink(walk: Walk, path: string): Promise<string | undefined> {
  try {
    const target = await realpath(join(walk.root, path))
    const inside = relative(walk.realRoot, target)
    if (inside === '..' || inside.startsWith(`..${sep}`)) {
      report(walk, path, 'the link leads out of the folder', 'put a copy of the file in its place')
      return undefined
    }
    if ((await stat(target)).isDirectory()) {
      report(walk, path, 'the link leads to a folder', 'put a copy of the folder in its place, or name it in full')
      return undefined
    }
    const hidden = findSecretName(inside)
    if (hidden !== undefined) report(walk, path, `it links to ${inside}, ${hidden}`, secretHint)
    return target
  } catch (error) {
    report(walk, path, `the link leads to nothing (${codeOf(error)})`, 'remove it, or put the file in its place')
    return undefined
  }
}

class NoFile extends Error {}

async function statRegular(file: string): Promise<{ readonly mode: number; readonly size: number }> {
  const stats = await stat(file)
  if (stats.isFIFO()) throw new NoFile('it is a pipe')
  if (stats.isSocket()) throw new NoFile('it is a socket')
  if (!stats.isFile()) throw new NoFile('it is a device')
  return stats
}

const secretHint = 'remove it from the folder: whoever can pull the image can read it; give secrets when it runs'

async function searchSecrets(walk: Walk, path: string, file: string, sizeBytes: number): Promise<void> {
  const named = findSecretName(path)
  if (named !== undefined) report(walk, path, `it is a file of ${named}`, secretHint)
  const bytes = await readBeginning(file)
  const isSearched = sizeBytes <= maxSearchedBytes || isKeyFile(path)
  if (!isSearched || bytes.includes(0)) return
  const source = createSourceText(join(walk.root, path), bytes.toString())
  for (const { what, start, length } of findSecrets(path, source.text))
    report(walk, path, `it holds ${what}`, secretHint, source.range(start, start + length))
}

/** Also of a file that is not searched: that it can be read is known before anything is built. */
async function readBeginning(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxSearchedBytes), 0, maxSearchedBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function report(walk: Walk, path: string, message: string, hint: string, at?: SourceRange): void {
  const whole = { file: join(walk.root, path), line: 1, column: 1, endLine: 1, endColumn: 1 }
  walk.findings.push({ code: 'TL_CONTEXT_REFUSED', severity: 'error', message, hint, at: at ?? whole })
}

function explainRoot(root: string, cause: unknown): never {
  if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw new TowlineError('TL_FILE_MISSING', root, { cause })
  throw new TowlineError('TL_FILE_UNREADABLE', `${root} (${codeOf(cause)})`, { cause })
}

/** Anything without a system's code is a bug. */
function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  throw error
}

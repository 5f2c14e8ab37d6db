import { type Stats, constants } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { type Diagnostic, type SourceRange, sortDiagnostics } from '../../base/diagnostic.ts'
import { createSourceText } from '../../base/source-text.ts'
import { findPathFault } from './entry.ts'
import { findSecretName, findSecrets, isKeyFile, maxSearchedBytes } from './secrets.ts'

/** What is to go into an image, or lies where only that should lie. */
export interface CheckedFile {
  /** In the image, below the folder that all of them get there. */
  readonly name: string
  /** Where it lies, in `root`. */
  readonly file: string
}

interface Check extends CheckedFile {
  readonly root: string
  readonly realRoot: string
  readonly findings: Diagnostic[]
}

/**
 * What keeps these files out of an image, a finding of severity error each: secrets, by name and by content; links that lead
 * out of `root`, to a folder or to nothing; what is no regular file, cannot be read, or has a name that no image may hold.
 */
export async function checkFiles(files: readonly CheckedFile[], root: string): Promise<readonly Diagnostic[]> {
  const realRoot = await realpath(root)
  const findings: Diagnostic[] = []
  for (const { name, file } of files) await checkFile({ name, file, root, realRoot, findings })
  return sortDiagnostics(findings)
}

async function checkFile(check: Check): Promise<void> {
  const { name, file, root, findings } = check
  // What a name in another encoding is read as; no file could be opened by it.
  if (relative(root, file).includes('\uFFFD')) return report(check, 'the name is not valid UTF-8', 'rename the file')
  const fault = findPathFault(name)
  if (fault !== undefined) report(check, `the path ${fault}`, 'rename the file')
  const named = findSecretName(relative(root, file))
  if (named !== undefined) report(check, `it is a file of ${named}`, secretHint)
  const before = findings.length
  await checkPlace(check)
  if (findings.length > before) return
  try {
    const stats = await stat(file)
    if (stats.isFile()) await searchSecrets(check, stats.size)
    else report(check, `it is ${describeKind(stats)}`, 'remove it, or keep it outside this folder')
  } catch (error) {
    report(check, `the file cannot be read (${codeOf(error)})`, 'give the right to read it, or remove it')
  }
}

/** A link inside the folder becomes a copy of what it leads to; any other says nothing in an image. */
async function checkPlace(check: Check): Promise<void> {
  const { file, root, realRoot } = check
  try {
    const target = await realpath(file)
    const inside = relative(realRoot, target)
    if (inside === relative(root, file)) return
    if (inside === '..' || inside.startsWith(`..${sep}`))
      return report(check, 'the link leads out of the folder', 'put a copy of the file in its place')
    if ((await stat(target)).isDirectory()) {
      const hint = 'put a copy of the folder in its place, or name it in full'
      return report(check, 'the link leads to a folder', hint)
    }
    const hidden = findSecretName(inside)
    if (hidden !== undefined) report(check, `it links to ${inside}, ${hidden}`, secretHint)
  } catch (error) {
    report(check, `the link leads to nothing (${codeOf(error)})`, 'remove it, or put the file in its place')
  }
}

function describeKind(stats: Stats): string {
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return stats.isDirectory() ? 'a folder' : 'a device'
}

const secretHint = 'remove it from the folder: whoever can pull the image can read it; give secrets when it runs'

async function searchSecrets(check: Check, sizeBytes: number): Promise<void> {
  const { file, root } = check
  const path = relative(root, file)
  const bytes = await readBeginning(file)
  const isSearched = sizeBytes <= maxSearchedBytes || isKeyFile(path)
  if (!isSearched || bytes.includes(0)) return
  const source = createSourceText(file, bytes.toString())
  for (const { what, start, length } of findSecrets(path, source.text))
    report(check, `it holds ${what}`, secretHint, source.range(start, start + length))
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

function report({ file, findings }: Check, message: string, hint: string, at?: SourceRange): void {
  const whole = { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
  findings.push({ code: 'TL_CONTEXT_REFUSED', severity: 'error', message, hint, at: at ?? whole })
}

/** Anything without a system's code is a bug. */
function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  throw error
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemClock } from '../../base/clock.ts'
import { hasErrno } from '../../base/errors.ts'
import { type LogFilter, type LogLine, keepLine, listLogFiles, parseLogLines, readLogLines } from '../view/log-lines.ts'

/** What all processes of an engine have written, in order of time; then, where it is wanted, what they write from now on. */
export async function* readEngineLogs(
  projectDir: string,
  filter: LogFilter,
  { tail, follow }: { readonly tail: number | undefined; readonly follow: AbortSignal | undefined },
): AsyncGenerator<LogLine> {
  const readers = new Map<string, Reader>()
  if (follow !== undefined) readNew(projectDir, readers)
  const lines = readLogLines(listLogFiles(projectDir), filter)
  yield* tail === undefined ? lines : lines.slice(-tail)
  if (follow === undefined) return
  try {
    for (;;) {
      await systemClock.sleep(200, follow)
      const fresh = readNew(projectDir, readers).filter((line) => keepLine(line, filter))
      yield* fresh.toSorted((a, b) => a.atMs - b.atMs)
    }
  } finally {
    for (const { fd } of readers.values()) closeSync(fd)
  }
}

interface Reader {
  readonly fd: number
  readonly inode: number
  at: number
  rest: string
}

/** What was appended since the last call. A rotated file is read to its end through its old descriptor before the new one. */
function readNew(projectDir: string, readers: Map<string, Reader>): LogLine[] {
  const first = readers.size === 0
  return [...listLogFiles(projectDir).values()].flatMap((generations) => {
    const path = generations.at(-1) ?? ''
    const known = readers.get(path)
    const before = known === undefined ? [] : readRest(known)
    const current = openReader(path)
    if (current === undefined) return before
    if (known?.inode === current.inode) {
      closeSync(current.fd)
      return before
    }
    if (known !== undefined) closeSync(known.fd)
    if (first) current.at = fstatSync(current.fd).size
    readers.set(path, current)
    return [...before, ...readRest(current)]
  })
}

function openReader(path: string): Reader | undefined {
  try {
    const fd = openSync(path, 'r')
    return { fd, inode: fstatSync(fd).ino, at: 0, rest: '' }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function readRest(reader: Reader): LogLine[] {
  const chunk = Buffer.alloc(65_536)
  for (
    let got = readSync(reader.fd, chunk, 0, chunk.length, reader.at);
    got > 0;
    got = readSync(reader.fd, chunk, 0, chunk.length, reader.at)
  ) {
    reader.at += got
    reader.rest += chunk.toString('latin1', 0, got)
  }
  const end = reader.rest.lastIndexOf('\n') + 1
  const text = Buffer.from(reader.rest.slice(0, end), 'latin1').toString()
  reader.rest = reader.rest.slice(end)
  return parseLogLines(text)
}

import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ProjectPaths } from './paths.ts'

const maxStderrBytes = 1 << 20
/** Logs of replicas that are gone, all together. Those of a living one are at most three files of 8 MiB. */
const maxOldBytes = 64 << 20

/** The end of a text file; empty when there is none. */
export function readTail(file: string, maxBytes = 4096): string {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, maxBytes))
    const read = readSync(fd, buffer, 0, buffer.length, Math.max(0, size - maxBytes))
    return buffer.toString('utf8', 0, read)
  } finally {
    closeSync(fd)
  }
}

/** A process that writes much to stderr loses the beginning. */
export function boundStderr(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxStderrBytes) truncateSync(file, 0)
}

/** Removes the oldest logs of processes that no longer exist until the rest is small enough. */
export function pruneLogs({ logs }: ProjectPaths, living: readonly string[]): void {
  if (!existsSync(logs)) return
  const old = readdirSync(logs)
    .filter((name) => !living.some((process) => name.startsWith(`${process}.`)))
    .flatMap((name) => {
      const file = join(logs, name)
      const stat = statSync(file, { throwIfNoEntry: false })
      return stat === undefined ? [] : [{ file, sizeBytes: stat.size, atMs: stat.mtimeMs }]
    })
    .toSorted((a, b) => b.atMs - a.atMs)
  let keptBytes = 0
  for (const { file, sizeBytes } of old) {
    keptBytes += sizeBytes
    if (keptBytes > maxOldBytes) rmSync(file, { force: true })
  }
}

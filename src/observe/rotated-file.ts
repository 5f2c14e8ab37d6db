import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface RotatedFile {
  write(line: string): void
  close(): void
}

/**
 * An append-only file that starts anew at `maxBytes`; `file.1` is the youngest of `keep` old ones. Only one process writes
 * it. Lines that the disk refuses are dropped: a log is never worth the process.
 */
export function openRotatedFile(file: string, { maxBytes, keep }: { maxBytes: number; keep: number }): RotatedFile {
  // Undefined while the disk refuses a new file, and after the end: a closed number may belong to another file by then.
  let fd: number | undefined = openSync(file, 'a', 0o640)
  let sizeBytes = fstatSync(fd).size
  let closed = false

  const closeCurrent = (): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }

  const rotate = (): void => {
    closeCurrent()
    if (keep > 0) rmSync(`${file}.${keep}`, { force: true })
    for (let age = keep - 1; age >= 0; age--) {
      try {
        renameSync(age === 0 ? file : `${file}.${age}`, `${file}.${age + 1}`)
      } catch {
        // That generation does not exist yet.
      }
    }
  }

  const openNew = (): number => {
    mkdirSync(dirname(file), { recursive: true })
    sizeBytes = 0
    return openSync(file, 'w', 0o640)
  }

  return {
    write(line) {
      if (closed) return
      const bytes = Buffer.from(line)
      try {
        if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) rotate()
        fd ??= openNew()
        sizeBytes += writeSync(fd, bytes)
      } catch {
        // Full disk, read-only folder: nothing better can be done with a line.
      }
    },
    close() {
      closed = true
      closeCurrent()
    },
  }
}

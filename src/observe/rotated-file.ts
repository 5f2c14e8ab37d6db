import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

export interface RotatedFile {
  write(line: string): void
  close(): void
}

/**
 * An append-only file that starts anew at `maxBytes`; `file.1` is the youngest of `keep` old ones. Only one process writes
 * it. Lines that the disk refuses are dropped: a log is never worth the process.
 */
export function openRotatedFile(file: string, { maxBytes, keep }: { maxBytes: number; keep: number }): RotatedFile {
  let fd = openSync(file, 'a', 0o640)
  let sizeBytes = fstatSync(fd).size

  const rotate = (): void => {
    closeSync(fd)
    rmSync(`${file}.${keep}`, { force: true })
    for (let age = keep - 1; age >= 0; age--) {
      try {
        renameSync(age === 0 ? file : `${file}.${age}`, `${file}.${age + 1}`)
      } catch {
        // That generation does not exist yet.
      }
    }
    fd = openSync(file, 'a', 0o640)
    sizeBytes = 0
  }

  return {
    write(line) {
      const bytes = Buffer.from(line)
      try {
        if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) rotate()
        sizeBytes += writeSync(fd, bytes)
      } catch {
        // Full disk, removed folder: nothing better can be done with a line.
      }
    },
    close: () => closeSync(fd),
  }
}

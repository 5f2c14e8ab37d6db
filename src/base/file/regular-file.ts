import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** A pipe or a device would never end, and hold whoever reads it. Throws an `Error` that says so; system errors as they are. */
export function readRegularFile(file: string, maxBytes: number): Buffer {
  // Opening a pipe without a writer would wait already.
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(handle)
    if (!stat.isFile()) throw new Error(`${file} is no regular file`)
    if (stat.size > maxBytes) throw new Error(`${file} has ${stat.size} bytes, at most ${maxBytes} are read`)
    return readFileSync(handle)
  } finally {
    closeSync(handle)
  }
}

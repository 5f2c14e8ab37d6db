/** Several times what the store of an API server takes for one object (1.5 MB). */
const defaultMaxLineBytes = 8 << 20

/** A stream that is no stream of lines: whoever reads it begins again. */
export class LineTooLong extends Error {
  constructor(maxBytes: number) {
    super(`a line of the watch has more than ${maxBytes} bytes`)
    this.name = 'LineTooLong'
  }
}

const newline = 0x0a

/**
 * The lines of a watch, without empty ones. Cut at bytes and decoded whole, so that a character in two chunks stays one; what follows
 * the last line's end is dropped: it is the start of an event that did not arrive. `LineTooLong`; what `chunks` throws.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number = defaultMaxLineBytes,
): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let sizeBytes = 0
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(newline, from)
      const part = chunk.subarray(from, end === -1 ? chunk.length : end)
      sizeBytes += part.length
      if (sizeBytes > maxLineBytes) throw new LineTooLong(maxLineBytes)
      parts.push(part)
      if (end === -1) break
      from = end + 1
      const line = Buffer.concat(parts).toString()
      parts = []
      sizeBytes = 0
      if (line.trim() !== '') yield line
    }
  }
}

import { setImmediate } from 'node:timers/promises'
import { Gzip } from 'fflate'

/**
 * Names the bytes that this file makes: part of the key of remembered layers. Another version of fflate or other settings
 * is another name.
 */
export const gzipName = 'fflate-0.8.3-level6-mem8-block64k'

/**
 * What fflate makes depends on how its input is cut, so it is always cut like this; and on `mem`, which it would otherwise
 * guess with a logarithm. Node's own zlib is not used: its bytes differ between releases of Node.
 */
const blockBytes = 1 << 16
const settings = { level: 6, mem: 8, mtime: 0 } as const

/** After this much input other work gets its turn: some 30 ms. */
const turnBytes = 1 << 20

/** The gzip form of the bytes: the same on any machine and however they are cut into chunks. Some 35 MB/s of input. */
export async function* gzipStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = []
  const gzip = new Gzip(settings, (chunk) => {
    if (chunk.length > 0) made.push(chunk)
  })
  let sinceTurnBytes = 0
  for await (const block of cutBlocks(chunks)) {
    gzip.push(block)
    sinceTurnBytes += block.length
    if (sinceTurnBytes < turnBytes) continue
    sinceTurnBytes = 0
    yield* made
    made = []
    await setImmediate()
  }
  // The end is a push of its own: which block is the last is known only afterwards.
  gzip.push(new Uint8Array(0), true)
  yield* made
}

/** Cuts into blocks of one size; the last may be shorter, and none is empty. A block is valid until the next is asked for. */
async function* cutBlocks(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(blockBytes)
  let filledBytes = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + blockBytes - filledBytes)
      block.set(part, filledBytes)
      filledBytes += part.length
      at += part.length
      if (filledBytes < blockBytes) continue
      yield block
      filledBytes = 0
    }
  }
  if (filledBytes > 0) yield block.subarray(0, filledBytes)
}

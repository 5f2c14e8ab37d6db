import { createHash } from 'node:crypto'
import { TowlineError } from '../../base/errors.ts'
import type { Descriptor } from './descriptor.ts'

/**
 * Passes the bytes on and throws TL_BLOB_MISMATCH, which names `source`, when they are not those of the descriptor. What
 * was passed on may be used only once the end is reached.
 */
export async function* checkBlob(
  { digest, size }: Descriptor,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  source: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of chunks) {
    sizeBytes += chunk.length
    // One that never ends must not fill the disk.
    if (sizeBytes > size) throw mismatch(`${source} has more than the ${size} bytes of ${digest}`)
    hash.update(chunk)
    yield chunk
  }
  if (sizeBytes < size) throw mismatch(`${source} ended after ${sizeBytes} of the ${size} bytes of ${digest}`)
  const found = `sha256:${hash.digest('hex')}`
  if (found !== digest) throw mismatch(`${source} has the digest ${found}, not ${digest}`)
}

/** All of it, checked. TL_IMAGE_UNREADABLE when it states more than `maxBytes`. */
export async function readBlob(
  descriptor: Descriptor,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer> {
  const { digest, size } = descriptor
  if (size > maxBytes)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${digest} has ${size} bytes, at most ${maxBytes} are read`)
  const kept: Uint8Array[] = []
  for await (const chunk of checkBlob(descriptor, chunks, 'the blob')) kept.push(chunk)
  return Buffer.concat(kept)
}

function mismatch(detail: string): TowlineError {
  return new TowlineError('TL_BLOB_MISMATCH', detail, {
    hint: 'it is damaged where it is kept, or on the way: build or fetch it again',
  })
}

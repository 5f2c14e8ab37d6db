import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { explainWrite } from '../../base/file/write-failure.ts'
import { type Descriptor, type Digest, mediaTypes } from '../oci/descriptor.ts'
import type { LayerEntry } from './entry.ts'
import { gzipStream } from './gzip.ts'
import { packLayer } from './tar-layer.ts'

export type Compression = 'Gzip' | 'None'

export interface LayerOptions {
  readonly compression: Compression
  /** The time of all files, in seconds since 1970: SOURCE_DATE_EPOCH, or 0. */
  readonly mtimeS: number
}

/** Plain data: it also travels to a thread. */
export interface LayerJob extends LayerOptions {
  readonly entries: readonly LayerEntry[]
  /** The file that is made; it must not be there. */
  readonly draft: string
}

export interface BuiltLayer {
  readonly descriptor: Descriptor
  /** Of the archive before it was compressed. */
  readonly diffId: Digest
  readonly unpackedBytes: number
}

/** Small files are gathered before they are written. */
const writeBytes = 1 << 20

/**
 * Writes a layer to `draft` in one pass, never all of it in memory. What `packLayer` throws; TL_DISK_FULL,
 * TL_FILE_UNWRITABLE. After a failure the draft is gone.
 */
export async function writeLayer({ entries, compression, mtimeS, draft }: LayerJob): Promise<BuiltLayer> {
  const unpacked = createMeter()
  const packed = createMeter()
  const archive = unpacked.pass(packLayer(entries, mtimeS))
  try {
    await writeDraft(draft, compression === 'Gzip' ? packed.pass(gzipStream(archive)) : archive)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  const diff = unpacked.read()
  const { digest, sizeBytes: size } = compression === 'Gzip' ? packed.read() : diff
  const mediaType = compression === 'Gzip' ? mediaTypes.layerGzip : mediaTypes.layer
  return { descriptor: { mediaType, digest, size }, diffId: diff.digest, unpackedBytes: diff.sizeBytes }
}

/** Counts and hashes what passes. */
function createMeter(): {
  pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>
  read(): { readonly digest: Digest; readonly sizeBytes: number }
} {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    async *pass(chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        sizeBytes += chunk.length
        yield chunk
      }
    },
    read: () => ({ digest: `sha256:${hash.digest('hex')}`, sizeBytes }),
  }
}

async function writeDraft(draft: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await onDisk(draft, () => open(draft, 'wx', 0o644))
  try {
    let waiting: Uint8Array[] = []
    let waitingBytes = 0
    for await (const chunk of chunks) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes < writeBytes) continue
      await onDisk(draft, () => writeAll(handle, waiting))
      waiting = []
      waitingBytes = 0
    }
    await onDisk(draft, () => writeAll(handle, waiting))
    await onDisk(draft, () => handle.sync())
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  // `writeFile` of a handle goes on where the last one ended, and writes the rest after a short write.
  await handle.writeFile(Buffer.concat(chunks))
}

/** Only what the disk says about the draft; what reading a file of the layer says keeps its own name. */
async function onDisk<T>(draft: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    throw explainWrite(cause, draft)
  }
}

import { type Hash, createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { TowlineError } from '../../base/errors.ts'
import { checkBlob } from '../oci/blob-check.ts'
import { readTar, sourceOf } from '../tar/reader.ts'
import type { BlobReader } from '../oci/blobs.ts'
import type { Descriptor, Digest } from '../oci/descriptor.ts'

/** By path, without the leading `/`. Bytes are those of a file whose content was wanted. */
export type FoundFiles = ReadonlyMap<string, FoundFile>

export type FoundFile =
  | { readonly kind: 'File'; readonly bytes: Uint8Array | undefined }
  /** `target` as it is written; of a hard link with a `/` before it. */
  | { readonly kind: 'Link'; readonly target: string }

/** What of a path is wanted: its bytes, or only whether it is there. */
export type Wanted = (path: string) => 'Content' | 'Presence' | undefined

/** Package databases of whole distributions have a tenth of it. */
const maxFileBytes = 16 << 20
/** Of all files of a layer whose content is wanted. */
const maxWantedBytes = 64 << 20
const whiteout = '.wh.'
const opaque = '.wh..wh..opq'

/**
 * The wanted files once `layer` lies over `below`, as an image shows them: what the layer has wins, what it removes or
 * covers is gone. The layer is read once, in pieces, and checked: TL_BLOB_MISMATCH, TL_IMAGE_UNREADABLE.
 */
export async function scanLayer(
  layer: Descriptor,
  blobs: BlobReader,
  below: FoundFiles,
  wanted: Wanted,
  diffId?: Digest,
): Promise<FoundFiles> {
  const found = new Map<string, FoundFile>()
  const covered = new Set<string>()
  const emptied = new Set<string>()
  const watched = new Set([...below.keys()].flatMap((path) => [path, ...foldersOf(path)]))
  let leftBytes = maxWantedBytes
  const hash = createHash('sha256')
  const chunks = hashed(unpackLayer(layer, blobs), hash)
  try {
    for await (const entry of readTar(sourceOf(chunks), `the layer ${layer.digest}`)) {
      const { path, kind, target } = entry
      const cut = path.lastIndexOf('/') + 1
      const name = path.slice(cut)
      if (name === opaque) emptied.add(path.slice(0, Math.max(0, cut - 1)))
      else if (name.startsWith(whiteout)) covered.add(path.slice(0, cut) + name.slice(whiteout.length))
      // What was a folder below and is none any more hides all that it held.
      else if (kind !== 'Folder' && watched.has(path)) covered.add(path)
      const want = name.startsWith(whiteout) ? undefined : wanted(path)
      if (want === undefined || kind === 'Folder' || kind === 'Other') continue
      if (kind === 'Link') found.set(path, { kind, target })
      else if (kind === 'HardLink') found.set(path, { kind: 'Link', target: `/${target}` })
      else {
        const bytes = want === 'Content' ? await entry.read(Math.min(maxFileBytes, leftBytes)) : undefined
        leftBytes -= bytes?.length ?? 0
        found.set(path, { kind, bytes })
      }
    }
    // What follows the archive belongs to the digest too.
    for await (const _ of chunks);
    const unpacked = `sha256:${hash.digest('hex')}`
    if (diffId !== undefined && unpacked !== diffId)
      throw new TowlineError(
        'TL_BLOB_MISMATCH',
        `the layer ${layer.digest} unpacks to ${unpacked}, its image says ${diffId}`,
        {
          hint: 'no runtime would unpack it; take another image',
        },
      )
  } finally {
    await chunks.return(undefined)
  }
  const isGone = (path: string): boolean =>
    covered.has(path) || foldersOf(path).some((folder) => covered.has(folder) || emptied.has(folder))
  return new Map([...[...below].filter(([path]) => !isGone(path)), ...found])
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

/** `a/b/c` lies in `a/b`, in `a`, and in the root, which is empty. */
function foldersOf(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, at) => parts.slice(0, at).join('/'))
}

/** The tar archive of a layer, checked to its end. */
async function* unpackLayer(layer: Descriptor, blobs: BlobReader): AsyncGenerator<Uint8Array> {
  const packed = checkBlob(layer, blobs.open(layer), 'the layer')
  const unpacker = createUnpacker(layer.mediaType)
  if (unpacker === undefined) {
    yield* packed
    return
  }
  const filled = pipeline(packed, unpacker)
  // Who reads the other end gets the same failure.
  filled.catch(() => undefined)
  try {
    yield* unpacker as AsyncIterable<Buffer>
    await filled
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    throw new TowlineError('TL_IMAGE_UNREADABLE', `the layer ${layer.digest} (${(cause as Error).message})`, { cause })
  }
}

function createUnpacker(mediaType: string) {
  if (/[.+]gzip$/.test(mediaType)) return createGunzip({ chunkSize: 256 << 10 })
  if (/[.+]zstd$/.test(mediaType)) return createZstdDecompress({ chunkSize: 256 << 10 })
  return undefined
}

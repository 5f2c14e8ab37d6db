import type { Descriptor, Digest } from './descriptor.ts'

/** Where bytes are read by digest: a folder, an archive, a registry. */
export interface BlobReader {
  has(digest: Digest): Promise<boolean>
  /** The bytes from `startByte` on. Whoever reads checks the digest. TL_IMAGE_UNREADABLE when it is not there. */
  open(descriptor: Descriptor, startByte?: number): AsyncIterable<Uint8Array>
}

/** Where bytes are kept by digest. What does not have the stated digest and size is never kept: TL_BLOB_MISMATCH. */
export interface BlobStore extends BlobReader {
  put(descriptor: Descriptor, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>
}

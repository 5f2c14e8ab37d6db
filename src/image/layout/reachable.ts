import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, isDigest, isIndexType, isManifestType } from '../oci/descriptor.ts'
import { maxDocumentBytes, readDocument, readIndex, readManifest } from '../oci/document.ts'

/**
 * Every digest that `root` leads to, itself included, over indexes, manifests and their subjects. `reached` is added to:
 * what is in it already is not looked at again. A document that is not there leads nowhere.
 */
export async function markReachable(root: Descriptor, blobs: BlobReader, reached: Set<Digest>): Promise<void> {
  const waiting: Descriptor[] = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next.digest)) continue
    reached.add(next.digest)
    if (!(await blobs.has(next.digest))) continue
    if (isIndexType(next.mediaType)) {
      const { manifests, subject } = await readIndex(next, blobs)
      waiting.push(...manifests, ...(subject === undefined ? [] : [subject]))
    } else if (isManifestType(next.mediaType)) {
      const { config, layers, subject } = await readManifest(next, blobs)
      for (const { digest } of [config, ...layers]) reached.add(digest)
      if (subject !== undefined) waiting.push(subject)
    } else await markNamed(next, blobs, reached)
  }
}

/** Of a document of a kind that is not known here, whatever it may name is kept. */
async function markNamed(descriptor: Descriptor, blobs: BlobReader, reached: Set<Digest>): Promise<void> {
  if (descriptor.size > maxDocumentBytes) return
  const text = Buffer.from(await readDocument(descriptor, blobs)).toString('latin1')
  for (const [digest] of text.matchAll(/sha256:[0-9a-f]{64}/g)) if (isDigest(digest)) reached.add(digest)
}

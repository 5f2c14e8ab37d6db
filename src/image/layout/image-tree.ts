import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Digest, isDigest, isIndexType, isManifestType } from '../oci/descriptor.ts'
import type { Manifest } from '../oci/manifest.ts'
import { readBlob } from './blob-check.ts'
import { maxDocumentBytes, readIndex, readManifest } from './document.ts'

/** A manifest that an image's root leads to. */
export interface ImageBranch {
  readonly descriptor: Descriptor
  /** Undefined when only other platforms were fetched. */
  readonly manifest: Manifest | undefined
}

/** An index may lead to an index, but no honest one is deeper. */
const maxDepth = 8

/** The manifests below `root`, or it itself, in their order. What is neither index nor manifest is left out. */
export async function listBranches(root: Descriptor, blobs: BlobReader, depth = 0): Promise<readonly ImageBranch[]> {
  if (isManifestType(root.mediaType)) {
    const isThere = depth === 0 || (await blobs.has(root.digest))
    return [{ descriptor: root, manifest: isThere ? await readManifest(root, blobs) : undefined }]
  }
  if (!isIndexType(root.mediaType) || depth > maxDepth) return []
  const { manifests } = await readIndex(root, blobs)
  const branches: ImageBranch[] = []
  for (const child of manifests) {
    const isMissing = isIndexType(child.mediaType) && !(await blobs.has(child.digest))
    if (!isMissing) branches.push(...(await listBranches(child, blobs, depth + 1)))
  }
  return branches
}

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
  const bytes = await readBlob(descriptor, blobs.open(descriptor), maxDocumentBytes)
  for (const [digest] of bytes.toString('latin1').matchAll(/sha256:[0-9a-f]{64}/g))
    if (isDigest(digest)) reached.add(digest)
}

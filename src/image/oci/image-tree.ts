import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from './blobs.ts'
import {
  type Descriptor,
  type Digest,
  formatPlatform,
  isDocumentType,
  isIndexType,
  isManifestType,
} from './descriptor.ts'
import { parseIndex, parseManifest, readDocument } from './document.ts'
import type { Index, Manifest } from './manifest.ts'

/** What an image's root leads to. The bytes of a document stay what they are, for whoever passes them on. */
export type ImageNode =
  | { readonly kind: 'Index'; readonly descriptor: Descriptor; readonly bytes: Uint8Array; readonly index: Index }
  | {
      readonly kind: 'Manifest'
      readonly descriptor: Descriptor
      readonly bytes: Uint8Array
      readonly manifest: Manifest
    }
  /** An index or a manifest that was not read: it is not there, or nobody wanted it. */
  | { readonly kind: 'Unread'; readonly descriptor: Descriptor }
  /** An index may name other things too; they are blobs as far as registries are concerned. */
  | { readonly kind: 'Blob'; readonly descriptor: Descriptor }

/** A manifest that an image's root leads to. */
export interface ImageBranch {
  readonly descriptor: Descriptor
  /** Undefined when only other platforms were fetched. */
  readonly manifest: Manifest | undefined
}

/** An index may lead to an index, but no honest one is deeper. */
const maxDepth = 8
/** The largest images known are for some dozen platforms. Whoever writes more wants us to fetch without end. */
const maxNodes = 4096
const maxBytes = 64 << 20

/**
 * All that `root` leads to, each once for a platform, whatever is named before what names it: the root comes last. `read`
 * gives the checked bytes of a document, or undefined for one to leave out. TL_IMAGE_UNREADABLE, also for a tree that is
 * deeper or larger than any honest one; TL_BLOB_MISMATCH; what `read` throws.
 */
export async function readTree(
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<Uint8Array | undefined>,
): Promise<readonly ImageNode[]> {
  const nodes: ImageNode[] = []
  const seen = new Set<string>()
  const documents = new Map<Digest, Uint8Array>()
  let readBytes = 0

  const fetch = async (descriptor: Descriptor): Promise<Uint8Array | undefined> => {
    const known = documents.get(descriptor.digest)
    const bytes = known ?? (await read(descriptor))
    if (bytes === undefined) return undefined
    if (bytes.length !== descriptor.size)
      throw new TowlineError(
        'TL_BLOB_MISMATCH',
        `${descriptor.digest} has ${bytes.length} bytes, and what leads to it says ${descriptor.size}`,
      )
    if (known === undefined) readBytes += bytes.length
    if (readBytes > maxBytes) throw tooLarge(root, `documents of more than ${maxBytes} bytes`)
    documents.set(descriptor.digest, bytes)
    return bytes
  }

  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { digest, mediaType, platform } = descriptor
    // Two platforms may share an image, and a signature may lie beside it under its digest.
    const key = `${digest} ${mediaType} ${platform === undefined ? '' : formatPlatform(platform)}`
    if (seen.has(key)) return
    seen.add(key)
    if (seen.size > maxNodes) throw tooLarge(root, `more than ${maxNodes} others`)
    if (depth > maxDepth) throw tooLarge(root, `indexes in one another, more than ${maxDepth} deep`)
    nodes.push(await look(descriptor, depth))
  }

  const look = async (descriptor: Descriptor, depth: number): Promise<ImageNode> => {
    const { digest, mediaType } = descriptor
    if (!isDocumentType(mediaType)) return { kind: 'Blob', descriptor }
    const bytes = await fetch(descriptor)
    if (bytes === undefined) return { kind: 'Unread', descriptor }
    const place = `${digest} (${mediaType})`
    if (isManifestType(mediaType))
      return { kind: 'Manifest', descriptor, bytes, manifest: parseManifest(bytes, mediaType, place) }
    const index = parseIndex(bytes, mediaType, place)
    for (const child of index.manifests) await visit(child, depth + 1)
    return { kind: 'Index', descriptor, bytes, index }
  }

  await visit(root, 0)
  return nodes
}

/** The tree as far as it is there; the root must be. */
export async function readPresentTree(root: Descriptor, blobs: BlobReader): Promise<readonly ImageNode[]> {
  return await readTree(root, async (descriptor) =>
    descriptor === root || (await blobs.has(descriptor.digest)) ? await readDocument(descriptor, blobs) : undefined,
  )
}

/** The manifests below `root`, or it itself, in their order. What is neither index nor manifest is left out. */
export async function listBranches(root: Descriptor, blobs: BlobReader): Promise<readonly ImageBranch[]> {
  return (await readPresentTree(root, blobs)).flatMap((node) => {
    if (node.kind === 'Manifest') return { descriptor: node.descriptor, manifest: node.manifest }
    const isMissing = node.kind === 'Unread' && !isIndexType(node.descriptor.mediaType)
    return isMissing ? { descriptor: node.descriptor, manifest: undefined } : []
  })
}

function tooLarge({ digest, mediaType }: Descriptor, what: string): TowlineError {
  return new TowlineError('TL_IMAGE_UNREADABLE', `${digest} (${oneLine(mediaType)}) leads to ${what}`, {
    hint: 'no image has need of that: do not trust where it comes from',
  })
}

import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from './blobs.ts'
import { type Descriptor, type Platform, formatPlatform, mediaTypes } from './descriptor.ts'
import { readImageConfig } from './document.ts'
import { type ImageNode, readPresentTree } from './image-tree.ts'
import type { ImageConfig, Manifest } from './manifest.ts'

export interface PlatformImage {
  /** Of the manifest, as what leads to it has it. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/**
 * The image for one platform below `root`, which may be a manifest itself. TL_IMAGE_MISSING, with `reference`, lists what is
 * there instead; TL_IMAGE_UNREADABLE, TL_BLOB_MISMATCH.
 */
export async function choosePlatform(
  root: Descriptor,
  wanted: Platform,
  blobs: BlobReader,
  reference: string,
): Promise<PlatformImage> {
  return await chooseAmong(await readPresentTree(root, blobs), wanted, blobs, reference)
}

/** As `choosePlatform`, of a tree that was read; `blobs` gives the configs of images that may fit. */
export async function chooseAmong(
  nodes: readonly ImageNode[],
  wanted: Platform,
  blobs: BlobReader,
  reference: string,
): Promise<PlatformImage> {
  const found: PlatformImage[] = []
  const others = new Set<string>()
  let absent: Platform | undefined
  for (const node of nodes) {
    const { descriptor } = node
    const { platform } = descriptor
    if (isBeside(descriptor)) continue
    if (platform !== undefined && !fits(platform, wanted)) others.add(formatPlatform(platform))
    else if (node.kind === 'Unread') absent = platform
    else if (node.kind === 'Manifest' && isRunnable(descriptor, node.manifest)) {
      // The index may say nothing of the platform, or something else than the image itself.
      const config = await readImageConfig(node.manifest.config, blobs)
      if (fits(config, wanted)) found.push({ descriptor, manifest: node.manifest, config })
      else others.add(formatPlatform(config))
    }
  }
  // Of amd64 and amd64/v3 the one that runs everywhere.
  const chosen = found.find(({ config }) => variantOf(config) === variantOf(wanted)) ?? found[0]
  if (chosen !== undefined) return chosen
  const list = oneLine([...others].join(', ')) || 'no image'
  const why =
    absent === undefined ? '' : ` (the index names ${oneLine(formatPlatform(absent))}, and it was not fetched)`
  throw new TowlineError('TL_IMAGE_MISSING', `${reference} holds ${list}, not ${formatPlatform(wanted)}${why}`, {
    hint: `name an image for ${formatPlatform(wanted)}, or another platform`,
  })
}

/** False for what need not be read: the index says that it is for another platform. */
export function mayFit({ platform }: Descriptor, wanted: Platform): boolean {
  return platform === undefined || fits(platform, wanted)
}

/** An image that can be run, not an artifact or what lies beside images. */
export function isRunnable(descriptor: Descriptor, { artifactType, config }: Manifest): boolean {
  const isImageConfig = config.mediaType === mediaTypes.config || config.mediaType === mediaTypes.dockerConfig
  return artifactType === undefined && isImageConfig && !isBeside(descriptor)
}

/** BuildKit puts attestations into the index as images for the platform `unknown/unknown`. */
function isBeside({ platform }: Descriptor): boolean {
  return platform?.os === 'unknown'
}

function fits(platform: Platform, wanted: Platform): boolean {
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return false
  return wanted.variant === undefined || variantOf(platform) === variantOf(wanted)
}

/** `arm64` and `arm64/v8` are the same. */
function variantOf({ architecture, variant = '' }: Platform): string {
  return architecture === 'arm64' && variant === 'v8' ? '' : variant
}

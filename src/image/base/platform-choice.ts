import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, type Platform, formatPlatform, mediaTypes } from '../oci/descriptor.ts'
import type { ImageConfig, Manifest } from '../oci/manifest.ts'
import { readImageConfig } from '../layout/document.ts'
import { listBranches } from '../layout/image-tree.ts'

export interface PlatformImage {
  /** Of the manifest. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/**
 * The image for one platform below `root`, which may be a manifest itself. TL_BASE_UNFIT, with `reference`, lists what is
 * there instead.
 */
export async function choosePlatform(
  root: Descriptor,
  wanted: Platform,
  blobs: BlobReader,
  reference: string,
): Promise<PlatformImage> {
  const found: PlatformImage[] = []
  const others: Platform[] = []
  let absent: Platform | undefined
  for (const { descriptor, manifest } of await listBranches(root, blobs)) {
    const { platform } = descriptor
    // Attestations of BuildKit lie beside the images, for the platform `unknown/unknown`.
    if (platform?.os === 'unknown') continue
    if (platform !== undefined && !fits(platform, wanted)) others.push(platform)
    else if (manifest === undefined) absent = platform
    else if (isImage(manifest)) {
      // The index may say nothing of the platform, or something else than the image itself.
      const config = await readImageConfig(manifest.config, blobs)
      if (fits(config, wanted)) found.push({ descriptor, manifest, config })
      else others.push(config)
    }
  }
  // Of amd64 and amd64/v3 the one that runs everywhere.
  const chosen = found.find(({ config }) => variantOf(config) === variantOf(wanted)) ?? found[0]
  if (chosen !== undefined) return chosen
  const list = others.map(formatPlatform).join(', ') || 'no image'
  const why = absent === undefined ? '' : ` (the index names ${formatPlatform(absent)}, and it was not fetched)`
  throw new TowlineError('TL_BASE_UNFIT', `${reference} holds ${list}, not ${formatPlatform(wanted)}${why}`, {
    hint: `name a base for ${formatPlatform(wanted)}, or build for a platform that it has`,
  })
}

function isImage({ artifactType, config }: Manifest): boolean {
  return (
    artifactType === undefined && [mediaTypes.config, mediaTypes.dockerConfig].some((type) => type === config.mediaType)
  )
}

function fits(platform: Platform, wanted: Platform): boolean {
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return false
  return wanted.variant === undefined || variantOf(platform) === variantOf(wanted)
}

/** `arm64` and `arm64/v8` are the same. */
function variantOf({ architecture, variant = '' }: Platform): string {
  return architecture === 'arm64' && variant === 'v8' ? '' : variant
}

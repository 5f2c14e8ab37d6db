import { createHash } from 'node:crypto'

/** What OCI image-spec 1.1 calls a descriptor: how one blob is named by others. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  /** In an index: what the manifest is for. */
  readonly platform?: Platform
  /** In an index of referrers. */
  readonly artifactType?: string
}

export type Digest = `sha256:${string}`

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** Of OCI image-spec 1.1, and Docker's own that mean the same. */
export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  /** Config of an artifact that has none: the two bytes `{}`. */
  empty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const

/** Each kind of layer that can be passed on, by OCI's name for it: the bytes are the same. */
const layerTypes: ReadonlyMap<string, string> = new Map([
  [mediaTypes.layer, mediaTypes.layer],
  [mediaTypes.layerGzip, mediaTypes.layerGzip],
  [mediaTypes.layerZstd, mediaTypes.layerZstd],
  [mediaTypes.dockerLayer, mediaTypes.layer],
  [mediaTypes.dockerLayerGzip, mediaTypes.layerGzip],
  [mediaTypes.dockerLayerZstd, mediaTypes.layerZstd],
])

const digestPattern = /^sha256:[0-9a-f]{64}$/

export function isDigest(text: string): text is Digest {
  return digestPattern.test(text)
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest
}

/** What is fetched as a manifest, not as a blob. */
export function isDocumentType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType)
}

/** What an OCI manifest calls a layer of this type; undefined for one of an unknown kind, or that lies elsewhere. */
export function ociLayerType(mediaType: string): string | undefined {
  return layerTypes.get(mediaType)
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../../../src/image/oci/descriptor.ts'
import { type ImageConfig, type RunConfig, encodeDocument } from '../../../src/image/oci/manifest.ts'
import { runProgram } from './program.ts'

interface SingleLayer {
  /** Everything in this folder is the image's only layer, with the owners and modes it has. */
  readonly root: string
  /** The folder, empty, that becomes an OCI layout. */
  readonly layout: string
  readonly config: RunConfig
}

/** Writes an OCI layout of one image with one layer, made by `tar`: no code of ours decides how a base image looks. */
export async function writeLayout({ root, layout, config }: SingleLayer): Promise<void> {
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true })
  const tarFile = join(layout, 'layer.tar')
  const sameAlways = ['--sort=name', '--mtime=@0', '--numeric-owner', '--format=gnu']
  await runProgram('tar', [...sameAlways, '-C', root, '-cf', tarFile, '.'])
  const tar = readFileSync(tarFile)
  rmSync(tarFile)
  const layer = writeBlob(layout, mediaTypes.layerGzip, await promisify(gzip)(tar, { level: 1 }))

  const created = new Date(0).toISOString()
  writeImage(layout, layer, {
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    created,
    config,
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created, created_by: 'packages of Debian 12' }],
  })
}

/** The image of `layout` with more variables in its environment, as another layout in the empty folder `target` of the same disk. */
export function deriveLayout(layout: string, target: string, env: Readonly<Record<string, string>>): void {
  mkdirSync(join(target, 'blobs', 'sha256'), { recursive: true })
  const index: { manifests: [Descriptor] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  const manifest: { config: Descriptor; layers: [Descriptor] } = JSON.parse(readBlob(layout, index.manifests[0].digest))
  const image: ImageConfig = JSON.parse(readBlob(layout, manifest.config.digest))
  const [layer] = manifest.layers
  linkSync(blobFile(layout, layer.digest), blobFile(target, layer.digest))
  const more = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  writeImage(target, layer, { ...image, config: { ...image.config, Env: [...(image.config?.Env ?? []), ...more] } })
}

function writeImage(layout: string, layer: Descriptor, image: ImageConfig): void {
  const config = writeBlob(layout, mediaTypes.config, encodeDocument(mediaTypes.config, image).bytes)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }
  const named = {
    ...writeBlob(layout, mediaTypes.manifest, encodeDocument(mediaTypes.manifest, manifest).bytes),
    platform: { os: image.os, architecture: image.architecture },
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [named] }
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index))
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

function writeBlob(layout: string, mediaType: string, bytes: Uint8Array): Descriptor {
  const digest = digestOf(bytes)
  writeFileSync(blobFile(layout, digest), bytes)
  return { mediaType, digest, size: bytes.length }
}

function readBlob(layout: string, digest: Digest): string {
  return readFileSync(blobFile(layout, digest), 'utf8')
}

function blobFile(layout: string, digest: Digest): string {
  return join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length))
}

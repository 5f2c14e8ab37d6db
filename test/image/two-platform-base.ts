import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Descriptor, digestOf, mediaTypes } from '../../src/image/oci/descriptor.ts'
import { runProgram } from '../kit/containers/program.ts'

const loaders = { amd64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' } as const

/**
 * Writes an OCI layout into the empty folder `folder`: one index, tagged `latest`, of an image for each of two platforms. They look
 * like bases for C++ programs, and nothing in them can be started.
 */
export async function writeTwoPlatformBase(folder: string): Promise<void> {
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true })
  const manifests: Descriptor[] = []
  for (const architecture of ['amd64', 'arm64'] as const) {
    const layer = writeBlob(folder, mediaTypes.layer, await packLibraries(folder, architecture))
    const config = writeJson(folder, mediaTypes.config, {
      os: 'linux',
      architecture,
      created: '1970-01-01T00:00:00Z',
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    })
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] }
    manifests.push({ ...writeJson(folder, mediaTypes.manifest, manifest), platform: { os: 'linux', architecture } })
  }
  const index = writeJson(folder, mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
  const named = { ...index, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

async function packLibraries(folder: string, architecture: keyof typeof loaders): Promise<Buffer> {
  const root = join(folder, `root-${architecture}`)
  for (const name of [loaders[architecture], 'libc.so.6', 'libstdc++.so.6']) {
    const file = join(root, 'usr', 'lib', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${name} for ${architecture}`)
  }
  const archive = `${root}.tar`
  await runProgram('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-C', root, '-cf', archive, 'usr'])
  return readFileSync(archive)
}

function writeJson(folder: string, mediaType: string, value: object): Descriptor {
  return writeBlob(folder, mediaType, Buffer.from(JSON.stringify(value)))
}

function writeBlob(folder: string, mediaType: string, bytes: Uint8Array): Descriptor {
  const digest = digestOf(bytes)
  writeFileSync(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes)
  return { mediaType, digest, size: bytes.length }
}

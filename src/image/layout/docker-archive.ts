import { lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { TowlineError } from '../../base/errors.ts'
import { explainWrite } from '../../base/file/write-failure.ts'
import { newShortId } from '../../base/id.ts'
import { encodeHeader, paddingFor } from '../tar/header.ts'
import type { BlobReader } from '../oci/blobs.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Manifest } from '../oci/manifest.ts'
import { checkBlob } from '../oci/blob-check.ts'

/** One image for `docker load`, which gives it these names. */
export interface ArchivedImage {
  readonly manifest: Manifest
  readonly blobs: BlobReader
  /** As Docker writes them: `classifier:1`. */
  readonly names: readonly string[]
}

/**
 * The archive's bytes, the same for the same image and names. Layers stay as they are, compressed or not: Docker finds out
 * by itself, and the config, whose digest is the image's id there, stays to the byte. TL_BLOB_MISMATCH, TL_IMAGE_UNREADABLE.
 */
export async function* packDockerArchive({ manifest, blobs, names }: ArchivedImage): AsyncGenerator<Uint8Array> {
  const { config } = manifest
  const layers = new Map(manifest.layers.map((layer) => [layer.digest, layer]))
  yield* packBlob(config, `${hexOf(config)}.json`, blobs)
  for (const layer of layers.values()) yield* packBlob(layer, `${hexOf(layer)}.tar`, blobs)
  const list = [
    {
      Config: `${hexOf(config)}.json`,
      RepoTags: names,
      Layers: manifest.layers.map((layer) => `${hexOf(layer)}.tar`),
    },
  ]
  const bytes = Buffer.from(JSON.stringify(list))
  yield headerFor('manifest.json', bytes.length)
  yield bytes
  yield paddingFor(bytes.length)
  yield Buffer.alloc(1024) // the end of a tar archive
}

/**
 * Writes it to a file in one step: no half archive is ever there. A link is followed. TL_FILE_EXISTS for what is no archive:
 * a pipe, a device, somebody's file. TL_DISK_FULL, TL_FILE_UNWRITABLE.
 */
export async function writeDockerArchive(path: string, image: ArchivedImage): Promise<void> {
  const file = await findTarget(path)
  const draft = `${file}.${newShortId(8)}.draft`
  try {
    const handle = await open(draft, 'wx', 0o644)
    try {
      await handle.writeFile(packDockerArchive(image))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (cause) {
    throw explainWrite(cause, file)
  } finally {
    await rm(draft, { force: true })
  }
}

async function findTarget(path: string): Promise<string> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return path
  const refuse = (what: string): TowlineError =>
    new TowlineError('TL_FILE_EXISTS', `${path} ${what}`, {
      hint: 'name a file that is not there yet, or an older archive',
    })
  const file = await realpath(path).catch(() => {
    throw refuse('is a link to nothing')
  })
  if (!(await stat(file)).isFile()) throw refuse('is no regular file')
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0)
    if (bytesRead > 0 && buffer.toString('latin1', 257, 262) !== 'ustar') throw refuse('is no archive')
  } finally {
    await handle.close()
  }
  return file
}

async function* packBlob(descriptor: Descriptor, path: string, blobs: BlobReader): AsyncGenerator<Uint8Array> {
  yield headerFor(path, descriptor.size)
  yield* checkBlob(descriptor, blobs.open(descriptor), 'the blob')
  yield paddingFor(descriptor.size)
}

function headerFor(path: string, sizeBytes: number): Uint8Array {
  return encodeHeader({ kind: 'File', path, mode: 0o644, sizeBytes, mtimeS: 0 })
}

function hexOf({ digest }: Descriptor): string {
  return digest.slice('sha256:'.length)
}

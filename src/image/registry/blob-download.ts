import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import { type Descriptor, isDocumentType } from '../oci/descriptor.ts'
import { hasBlob } from './blob-sending.ts'
import { type Answer, ConnectionFailure } from './http/exchange.ts'
import { maxTries } from './http/retry.ts'
import { unreachable } from './http/transport.ts'
import { fetchManifest, hasManifest } from './manifests.ts'
import type { Registry } from './registry.ts'

/** A repository as a place to read from: manifests and blobs alike. */
export function registryBlobs(registry: Registry, repository: string, signal?: AbortSignal): BlobReader {
  const where = { repository, access: 'Pull' } as const
  return {
    // Registries keep the two apart, and who asks here asks for manifests most of the time.
    has: async (digest) =>
      (await hasManifest(registry, where, { digest }, signal)) || (await hasBlob(registry, where, { digest }, signal)),
    open: async function* (descriptor, startByte = 0) {
      if (!isDocumentType(descriptor.mediaType))
        yield* downloadBlob(registry, repository, descriptor, startByte, signal)
      else yield (await fetchManifest(registry, repository, descriptor.digest, signal)).bytes.subarray(startByte)
    },
  }
}

/**
 * The bytes of a blob from `startByte` on. A cut connection is taken up where it ended. Whoever reads checks the digest; the
 * size is checked here. TL_IMAGE_UNREADABLE when it is not there; TL_BLOB_MISMATCH; TL_REGISTRY_….
 */
export async function* downloadBlob(
  registry: Registry,
  repository: string,
  descriptor: Descriptor,
  startByte = 0,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { digest, size } = descriptor
  let at = startByte
  for (let failures = 0; at < size;) {
    const answer = await request(registry, repository, descriptor, at, signal)
    const startedAt = at
    let cut: unknown
    try {
      // A registry that knows no ranges begins at the beginning.
      let skipBytes = answer.status === 206 ? 0 : at
      for await (const chunk of answer.stream ?? []) {
        const part = chunk.subarray(Math.min(skipBytes, chunk.length))
        skipBytes -= chunk.length - part.length
        if (part.length === 0) continue
        at += part.length
        if (at > size)
          throw new TowlineError('TL_BLOB_MISMATCH', `${registry.host} has more than ${size} bytes for ${digest}`)
        yield part
      }
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error
      cut = error
    }
    if (at === size) return
    failures = at > startedAt ? 1 : failures + 1
    if (failures >= maxTries) throw cutShort(registry, answer, descriptor, at, cut)
    await registry.pause(failures, undefined, signal)
  }
}

async function request(
  registry: Registry,
  repository: string,
  { digest, size }: Descriptor,
  at: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const answer = await registry.send({
    repository,
    access: 'Pull',
    method: 'GET',
    at: `blobs/${digest}`,
    headers: at === 0 ? {} : { range: `bytes=${at}-${size - 1}` },
    streamed: true,
    ...(signal === undefined ? {} : { signal }),
  })
  if (answer.status === 404)
    throw new TowlineError('TL_IMAGE_UNREADABLE', `${registry.host} has no ${digest} in ${repository}`)
  if (answer.status !== 200 && answer.status !== 206) throw registry.failure(answer, `the request for ${digest}`)
  const range = answer.headers['content-range']
  if (answer.status === 206 && (typeof range !== 'string' || !range.startsWith(`bytes ${at}-`)))
    throw new TowlineError(
      'TL_REGISTRY_FAILED',
      `${registry.host} answers with another part of ${digest} than was asked for`,
    )
  return answer
}

function cutShort(registry: Registry, answer: Answer, { digest, size }: Descriptor, at: number, cut: unknown): Error {
  if (cut instanceof ConnectionFailure) return unreachable(cut, answer, maxTries)
  return new TowlineError(
    'TL_BLOB_MISMATCH',
    `${registry.host} has ${at} bytes for ${digest}, and ${size} are expected`,
  )
}

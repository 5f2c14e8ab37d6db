import { TowlineError } from '../../base/errors.ts'
import type { Digest } from '../oci/descriptor.ts'
import { type BlobUpload, hasBlob, sendBlob } from './blob-sending.ts'
import type { Answer } from './http/exchange.ts'
import type { Registry } from './registry.ts'
import { type UploadSession, cancelSession, emptyBody, sessionOf, startSession } from './upload-session.ts'

export interface BlobReport {
  readonly digest: Digest
  readonly size: number
  readonly how: 'Uploaded' | 'Mounted' | 'Present'
  /** What went over the network, with what had to be sent twice. */
  readonly sentBytes: number
}

/**
 * Brings a blob into a repository: not at all when it is there, by mounting where that works, else as one body; in parts when
 * the registry wants that or the connection was cut. TL_REGISTRY_…; TL_BLOB_MISMATCH when the blob here is not what it should be.
 */
export async function uploadBlob(registry: Registry, upload: BlobUpload): Promise<BlobReport> {
  const { repository, descriptor, signal } = upload
  const report = { digest: descriptor.digest, size: descriptor.size, sentBytes: 0 }
  if (await hasBlob(registry, { repository, access: 'Push' }, descriptor, signal)) return { ...report, how: 'Present' }
  const mounted = await mountBlob(registry, upload)
  if (mounted === 'Mounted') return { ...report, how: 'Mounted' }
  const session = mounted ?? (await startSession(registry, repository, signal))
  return { ...report, how: 'Uploaded', sentBytes: await sendBlob(registry, upload, session) }
}

async function mountBlob(registry: Registry, upload: BlobUpload): Promise<UploadSession | 'Mounted' | undefined> {
  const { repository, descriptor, signal } = upload
  let session: UploadSession | undefined
  for (const source of upload.mountFrom.filter((name) => name !== repository)) {
    const at = `blobs/uploads/?mount=${descriptor.digest}&from=${source}`
    let answer: Answer
    try {
      const request = { repository, access: 'Push', alsoPull: source, method: 'POST', at, body: emptyBody } as const
      answer = await registry.send({ ...request, signal })
    } catch (error) {
      signal.throwIfAborted()
      // Somebody who may push here need not be allowed to read there.
      if (error instanceof TowlineError && error.code === 'TL_REGISTRY_REFUSED') continue
      throw error
    }
    if (answer.status !== 201 && answer.status !== 202) continue
    // 202: not mounted, an upload was begun instead. It serves when no other repository has the blob.
    if (session !== undefined) await cancelSession(registry, repository, session)
    session = answer.status === 202 ? sessionOf(answer) : undefined
    if (answer.status === 201) return 'Mounted'
  }
  return session
}

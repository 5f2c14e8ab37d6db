import { createHash } from 'node:crypto'
import { TowlineError } from '../../base/errors.ts'
import type { BlobReader } from '../oci/blobs.ts'
import type { Descriptor, Digest } from '../oci/descriptor.ts'
import type { Answer } from './http/exchange.ts'
import { readProblem } from './http/registry-error.ts'
import { isTemporaryStatus, maxTries } from './http/retry.ts'
import { isUnreachable } from './http/transport.ts'
import type { Registry } from './registry.ts'
import {
  type UploadSession,
  advance,
  askSession,
  cancelSession,
  isSessionGone,
  startSession,
} from './upload-session.ts'

export interface BlobUpload {
  readonly repository: string
  readonly descriptor: Descriptor
  readonly blobs: BlobReader
  /** Repositories of the same registry that may have it already. */
  readonly mountFrom: readonly string[]
  readonly signal: AbortSignal
  readonly onProgress: (progress: UploadProgress) => void
}

export interface UploadProgress {
  readonly digest: Digest
  /** Of the whole blob, in bytes. */
  readonly size: number
  /** How far into the blob; goes back when an upload has to start again. */
  readonly sentBytes: number
}

/** After a cut: so that the next cut costs less. */
const resumeChunkBytes = 64 << 20
/** What the strictest registries known take as one body. */
const smallChunkBytes = 4 << 20
const minChunkBytes = 64 << 10
/** A registry looks through the whole blob before it answers. */
const answerTimeoutMs = 300_000
/** Even where each try brings it a little further. */
const maxFailures = 32

/** TL_REGISTRY_… */
export async function hasBlob(
  registry: Registry,
  where: { readonly repository: string; readonly access: 'Pull' | 'Push' },
  { digest }: Pick<Descriptor, 'digest'>,
  signal?: AbortSignal,
): Promise<boolean> {
  const more = signal === undefined ? {} : { signal }
  const answer = await registry.send({ ...where, method: 'HEAD', at: `blobs/${digest}`, ...more })
  if (answer.status === 200) return true
  if (answer.status === 404) return false
  throw registry.failure(answer, `the question for ${digest} in ${where.repository}`)
}

/** What became of one request. `receivedBytes` of the session grows with each part. */
type Step =
  | { readonly kind: 'Stored' }
  | { readonly kind: 'Accepted'; readonly session: UploadSession }
  | { readonly kind: 'Refused'; readonly answer: Answer }
  | { readonly kind: 'Cut'; readonly error: unknown }

/**
 * Sends a blob into an upload that was begun, and says how many bytes that took. As one body at first; in parts when the
 * registry wants that or the connection was cut, and then from where the registry stands. TL_REGISTRY_…, TL_BLOB_MISMATCH.
 */
export async function sendBlob(registry: Registry, upload: BlobUpload, first: UploadSession): Promise<number> {
  const { repository, descriptor, signal } = upload
  const sent = { bytes: 0 }
  let session = first
  let chunkBytes = first.maxChunkBytes < descriptor.size ? first.maxChunkBytes : undefined
  let failures = 0
  let failuresInAll = 0
  try {
    for (;;) {
      const step = await takeStep(registry, upload, session, chunkBytes, sent)
      if (step.kind === 'Stored') return sent.bytes
      if (step.kind === 'Accepted') {
        failures = step.session.receivedBytes > session.receivedBytes ? 0 : failures + 1
        session = step.session
        if (failures >= maxTries) throw stuck(registry, upload, session)
        continue
      }
      const answer = step.kind === 'Refused' ? step.answer : undefined
      const isTooLarge = answer?.status === 413 || answer?.status === 416
      const isDigestWrong = answer !== undefined && readProblem(answer.body)?.code === 'DIGEST_INVALID'
      if (isDigestWrong) await checkSource(upload)
      const canGoOn =
        answer === undefined || isTooLarge || isDigestWrong || isSessionGone(answer) || isTemporaryStatus(answer.status)
      failures++
      failuresInAll++
      if (!canGoOn || failures >= maxTries || failuresInAll >= maxFailures) throw failureOfStep(registry, upload, step)
      if (!isTooLarge) await registry.pause(failures, answer, signal)
      const status = isDigestWrong ? undefined : await askSession(registry, repository, session, signal)
      // Kept at once: whatever fails next, only the newest place can be taken back.
      session = { ...session, location: status?.location ?? session.location }
      const recovered = await recover(registry, upload, session, status?.receivedBytes)
      if (recovered === 'Stored') return sent.bytes
      if (recovered.receivedBytes > session.receivedBytes) failures = 0
      const isElsewhere = recovered.receivedBytes !== session.receivedBytes
      session = recovered
      if (answer?.status === 413 || (answer?.status === 416 && !isElsewhere)) {
        const smaller = shrink(chunkBytes ?? descriptor.size, session)
        // Getting smaller is a way to go, not a failure.
        if (smaller < (chunkBytes ?? descriptor.size)) failures = 0
        chunkBytes = smaller
      } else if (isElsewhere) chunkBytes ??= isTooLarge ? smallChunkBytes : resumeChunkBytes
      // Something on the way may answer a large body by hanging up.
      else if (step.kind === 'Cut' && failures > 1) chunkBytes = shrink(chunkBytes ?? descriptor.size, session)
    }
  } catch (error) {
    // Stopped in the middle of a request nobody knows the newest place; the registry forgets the upload by itself.
    if (!signal.aborted) await cancelSession(registry, repository, session)
    throw error
  }
}

/** Where it goes on after a step that failed: at what the registry holds, or from the start. */
async function recover(
  registry: Registry,
  { repository, descriptor, signal }: BlobUpload,
  session: UploadSession,
  receivedBytes: number | undefined,
): Promise<UploadSession | 'Stored'> {
  if (receivedBytes !== undefined) return { ...session, receivedBytes }
  // The answer may have been lost after the work was done.
  if (await hasBlob(registry, { repository, access: 'Push' }, descriptor, signal)) return 'Stored'
  await cancelSession(registry, repository, session)
  return await startSession(registry, repository, signal)
}

/** Half as much, at most what the strictest take; never less than a registry says, or than makes sense. */
function shrink(chunkBytes: number, session: UploadSession): number {
  const half = Math.min(Math.ceil(chunkBytes / 2), smallChunkBytes, session.maxChunkBytes)
  return Math.min(chunkBytes, Math.max(half, session.minChunkBytes, minChunkBytes))
}

/** The whole blob, the next part, or the end. */
async function takeStep(
  registry: Registry,
  { repository, descriptor, blobs, signal, onProgress }: BlobUpload,
  session: UploadSession,
  chunkBytes: number | undefined,
  sent: { bytes: number },
): Promise<Step> {
  const { digest, size } = descriptor
  const { location, receivedBytes: from } = session
  const isWhole = chunkBytes === undefined && from === 0
  const to = isWhole ? size : Math.min(size, from + Math.max(chunkBytes ?? resumeChunkBytes, session.minChunkBytes))
  const isLast = isWhole || from === size
  const body = {
    sizeBytes: to - from,
    open: () =>
      readSlice(blobs, descriptor, from, to, (bytes, at) => {
        sent.bytes += bytes
        onProgress({ digest, size, sentBytes: at })
      }),
  }
  let answer: Answer
  try {
    answer = await registry.send({
      repository,
      access: 'Push',
      method: isLast ? 'PUT' : 'PATCH',
      at: isLast ? withDigest(location, digest) : location,
      headers: {
        'content-type': 'application/octet-stream',
        ...(isLast ? {} : { 'content-range': `${from}-${to - 1}` }),
      },
      body,
      answerTimeoutMs,
      // Another try begins with the question how far this one came.
      tries: 1,
      signal,
    })
  } catch (error) {
    if (isUnreachable(error)) return { kind: 'Cut', error }
    throw error
  }
  if (isLast && answer.status === 201) return { kind: 'Stored' }
  if (answer.status !== 202 || (isLast && !isWhole)) return { kind: 'Refused', answer }
  const next = advance(session, answer, to)
  if (next.receivedBytes > to)
    throw new TowlineError(
      'TL_REGISTRY_FAILED',
      `${registry.host} says that it has ${next.receivedBytes} bytes of ${digest}, and ${to} were sent`,
    )
  return { kind: 'Accepted', session: next }
}

function failureOfStep(registry: Registry, { descriptor, repository }: BlobUpload, step: Step): unknown {
  if (step.kind === 'Refused')
    return registry.failure(
      step.answer,
      `the upload of ${descriptor.digest} (${descriptor.size} bytes) to ${repository}`,
    )
  return step.kind === 'Cut' ? step.error : undefined
}

function stuck(registry: Registry, { descriptor }: BlobUpload, { receivedBytes }: UploadSession): TowlineError {
  const { digest, size } = descriptor
  return new TowlineError(
    'TL_REGISTRY_FAILED',
    `${registry.host} takes what is sent of ${digest}, and stays at ${receivedBytes} of ${size} bytes`,
  )
}

/** The query is kept byte for byte: it may be signed. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${digest}`
  return url
}

/** Bytes `from` to `to` (exclusive). TL_BLOB_MISMATCH when there are fewer. */
async function* readSlice(
  blobs: BlobReader,
  descriptor: Descriptor,
  from: number,
  to: number,
  onBytes: (bytes: number, at: number) => void,
): AsyncGenerator<Uint8Array> {
  let at = from
  for await (const chunk of blobs.open(descriptor, from)) {
    const part = chunk.subarray(0, to - at)
    at += part.length
    if (part.length > 0) yield part
    onBytes(part.length, at)
    if (at === to) return
  }
  throw new TowlineError(
    'TL_BLOB_MISMATCH',
    `${descriptor.digest} has ${at} bytes here, and ${descriptor.size} are expected`,
  )
}

/** The registry says that the bytes are others: here, or on the way? TL_BLOB_MISMATCH when here. */
async function checkSource({ blobs, descriptor, signal }: BlobUpload): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of blobs.open(descriptor)) {
    signal.throwIfAborted()
    hash.update(chunk)
  }
  const found = `sha256:${hash.digest('hex')}`
  if (found !== descriptor.digest)
    throw new TowlineError('TL_BLOB_MISMATCH', `the blob ${descriptor.digest} has the content of ${found} here`)
}

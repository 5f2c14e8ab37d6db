import { randomUUID } from 'node:crypto'
import { type Digest, isDigest } from '../../../src/image/oci/descriptor.ts'
import { type Answer, type Exchange, errorAnswer, refuse } from './exchange.ts'
import { type UploadRoute, repositoryPattern } from './route.ts'
import { type Upload, beginUpload, endUpload, formatRange, openRepository } from './state.ts'
import { closeUpload, receiveChunk } from './upload-bodies.ts'

/** POST: a mount where it is asked for and possible, an upload otherwise. */
export function startUpload(exchange: Exchange, repository: string): Answer {
  const { state, options, url, contentLength } = exchange
  if (contentLength === undefined) {
    return refuse(exchange, 'ContentLengthMissing', 'SIZE_INVALID', 'a POST that starts an upload needs Content-Length')
  }
  const digest = url.searchParams.get('mount')
  if (digest !== null) {
    if (!isDigest(digest)) return refuse(exchange, 'DigestInvalid', 'DIGEST_INVALID', `\`${digest}\` is no digest`)
    const answer = mountBlob(exchange, repository, digest)
    if (answer !== undefined) return answer
  }
  // A whole blob in the POST is not taken, as the specification allows: 202 says that a PUT has to follow.
  const upload = beginUpload(state, repository)
  const limits = {
    ...(options.chunkMinBytes === undefined ? {} : { 'oci-chunk-min-length': String(options.chunkMinBytes) }),
    ...(options.chunkMaxBytes === undefined ? {} : { 'oci-chunk-max-length': String(options.chunkMaxBytes) }),
  }
  return answerWithLocation(exchange, upload, 202, limits)
}

/** Undefined when an upload has to begin instead. */
function mountBlob(exchange: Exchange, repository: string, digest: Digest): Answer | undefined {
  const { state, options, url } = exchange
  if (options.mounts === 'Refused') return errorAnswer(405, 'UNSUPPORTED', 'mounting is not supported')
  const from = url.searchParams.get('from')
  if (from !== null && !repositoryPattern.test(from)) {
    return refuse(exchange, 'Endpoint', 'NAME_INVALID', `\`${from}\` is no name of a repository`)
  }
  const bytes = from === null ? undefined : state.repositories.get(from)?.blobs.get(digest)
  if (options.mounts === 'Accepted' || bytes === undefined) return undefined
  openRepository(state, repository).blobs.set(digest, bytes)
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest } }
}

/** GET, PATCH, PUT and DELETE of an upload, one after the other: a later request ends the one whose body still comes. */
export async function serveUpload(exchange: Exchange, route: UploadRoute): Promise<Answer> {
  const { state, fault, request } = exchange
  const upload = state.uploads.get(route.upload)
  if (upload !== undefined && fault?.kind === 'ForgetUpload') endUpload(state, upload)
  if (upload === undefined || fault?.kind === 'ForgetUpload') {
    return upload !== undefined || state.endedUploads.has(route.upload)
      ? errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'this upload is not there any more')
      : refuse(exchange, 'UploadUnknown', 'BLOB_UPLOAD_UNKNOWN', 'this upload never was', 404)
  }
  const { promise: done, resolve: finish } = Promise.withResolvers<void>()
  const before = upload.busy
  const mine = { request, done }
  upload.busy = mine
  before?.request.destroy()
  await before?.done
  try {
    return await serveInTurn(exchange, route, upload)
  } finally {
    if (upload.busy === mine) upload.busy = undefined
    finish()
  }
}

async function serveInTurn(exchange: Exchange, { kind, repository }: UploadRoute, upload: Upload): Promise<Answer> {
  const { state, url } = exchange
  if (!state.uploads.has(upload.id)) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'this upload is not there any more')
  const token = url.searchParams.get('_state')
  if (token === null || repository !== upload.repository) {
    return refuse(exchange, 'LocationQueryLost', 'BLOB_UPLOAD_INVALID', 'this is not the Location that was given')
  }
  if (!upload.tokens.has(token)) {
    return refuse(exchange, 'LocationStale', 'BLOB_UPLOAD_INVALID', 'a newer Location was given')
  }
  switch (kind) {
    case 'UploadGet':
      return answerWithLocation(exchange, upload, 204)
    case 'UploadPatch':
      return (await receiveChunk(exchange, upload)) ?? answerWithLocation(exchange, upload, 202)
    case 'UploadPut':
      return await closeUpload(exchange, upload)
    case 'UploadDelete':
      endUpload(state, upload)
      return { status: 204 }
  }
}

/** A new Location, and the Range so far. The old one is good until the client has the new one. */
function answerWithLocation(exchange: Exchange, upload: Upload, status: number, more: Answer['headers'] = {}): Answer {
  const { options, request } = exchange
  const token = randomUUID()
  upload.tokens.add(token)
  upload.unsure = true
  const path = `/v2/${upload.repository}/blobs/uploads/${upload.id}?_state=${token}`
  return {
    status,
    headers: {
      location: options.locations === 'Absolute' ? `http://${request.headers.host}${path}` : path,
      range: formatRange(upload),
      ...more,
    },
    delivered: () => {
      upload.tokens = new Set([token])
      upload.unsure = false
    },
  }
}

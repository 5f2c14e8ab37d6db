import { type Digest, digestOf, isDigest } from '../../../src/image/oci/descriptor.ts'
import { type Answer, type Exchange, errorAnswer, readBody, refuse } from './exchange.ts'
import { type Upload, addTo, endUpload, formatRange, holdBlob } from './state.ts'

/** PATCH: one chunk. Undefined when it was taken. */
export async function receiveChunk(exchange: Exchange, upload: Upload): Promise<Answer | undefined> {
  const { options, contentLength, request } = exchange
  const streamed = options.streams === true && request.headers['content-range'] === undefined && upload.sizeBytes === 0
  if (!streamed) {
    const refused = checkLength(exchange) ?? checkRange(exchange, upload) ?? checkChunk(exchange, upload)
    if (refused !== undefined) return refused
  }
  const refused = checkContentType(exchange) ?? checkBodyLimits(exchange)
  if (refused !== undefined) return refused
  await receive(exchange, upload)
  if (contentLength !== undefined && contentLength < (options.chunkMinBytes ?? 0)) upload.hadShortChunk = true
  return undefined
}

/** PUT: the last chunk, or the whole blob, or nothing more; and the digest that all of it must have. */
export async function closeUpload(exchange: Exchange, upload: Upload): Promise<Answer> {
  const { state, url, contentLength, request } = exchange
  const digest = url.searchParams.get('digest')
  if (digest === null || !isDigest(digest)) {
    return refuse(exchange, 'DigestInvalid', 'DIGEST_INVALID', `\`${digest ?? ''}\` is no digest`)
  }
  const refused = checkLength(exchange) ?? (contentLength === 0 ? undefined : checkLastBody(exchange, upload))
  if (refused !== undefined) return refused
  account(exchange, upload, digest, upload.receivedBytes)
  upload.receivedBytes = 0
  await receive(exchange, upload, digest)
  const bytes = Buffer.concat(upload.chunks)
  const actual = digestOf(bytes)
  if (actual !== digest) {
    return refuse(exchange, 'DigestMismatch', 'DIGEST_INVALID', `the content is ${actual}, ${bytes.length} bytes`)
  }
  holdBlob(state, upload.repository, bytes)
  endUpload(state, upload)
  const location = `/v2/${upload.repository}/blobs/${digest}`
  const absolute = `http://${request.headers.host}${location}`
  return {
    status: 201,
    headers: {
      location: exchange.options.locations === 'Absolute' ? absolute : location,
      'docker-content-digest': digest,
    },
  }
}

function checkLastBody(exchange: Exchange, upload: Upload): Answer | undefined {
  const isWhole = upload.sizeBytes === 0 && exchange.request.headers['content-range'] === undefined
  return (
    (isWhole ? undefined : (checkRange(exchange, upload) ?? checkChunk(exchange, upload))) ??
    checkContentType(exchange) ??
    checkBodyLimits(exchange)
  )
}

function checkLength(exchange: Exchange): Answer | undefined {
  if (exchange.contentLength !== undefined) return undefined
  return refuse(exchange, 'ContentLengthMissing', 'SIZE_INVALID', 'the body of an upload needs Content-Length')
}

function checkContentType(exchange: Exchange): Answer | undefined {
  const type = exchange.request.headers['content-type'] ?? ''
  if (type === 'application/octet-stream') return undefined
  return refuse(
    exchange,
    'ContentType',
    'BLOB_UPLOAD_INVALID',
    `a blob is application/octet-stream and not \`${type}\``,
  )
}

function checkRange(exchange: Exchange, upload: Upload): Answer | undefined {
  const text = exchange.request.headers['content-range']
  if (text === undefined) {
    const detail = `a chunk needs Content-Range; ${upload.sizeBytes} bytes are here`
    return refuse(exchange, 'ContentRangeMissing', 'BLOB_UPLOAD_INVALID', detail)
  }
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? []
  if (first === undefined || Number(last) - Number(first) + 1 !== exchange.contentLength) {
    const detail = `Content-Range \`${text}\` does not fit Content-Length ${exchange.contentLength}`
    return refuse(exchange, 'ContentRangeInvalid', 'BLOB_UPLOAD_INVALID', detail)
  }
  if (Number(first) === upload.sizeBytes) return undefined
  const detail = `the chunk begins at ${first} and ${upload.sizeBytes} bytes are here`
  const answer = upload.unsure
    ? errorAnswer(416, 'BLOB_UPLOAD_INVALID', detail)
    : refuse(exchange, 'ContentRangeOrder', 'BLOB_UPLOAD_INVALID', detail, 416)
  return { ...answer, headers: { ...answer.headers, range: formatRange(upload) } }
}

/** Against the limits that were announced. */
function checkChunk(exchange: Exchange, upload: Upload): Answer | undefined {
  const { chunkMinBytes, chunkMaxBytes = Infinity } = exchange.options
  const { contentLength = 0 } = exchange
  if (contentLength > chunkMaxBytes) {
    const detail = `${contentLength} bytes in a chunk; ${chunkMaxBytes} are the most`
    return refuse(exchange, 'ChunkTooLong', 'SIZE_INVALID', detail, 413)
  }
  if (!upload.hadShortChunk) return undefined
  const detail = `only the last chunk may have less than ${chunkMinBytes} bytes`
  return refuse(exchange, 'ChunkTooShort', 'SIZE_INVALID', detail)
}

/** Against the limits that nobody announces. The answer comes before the body was read, as a proxy gives it. */
function checkBodyLimits({ request, options, contentLength = 0 }: Exchange): Answer | undefined {
  const { maxBodyBytes = Infinity, maxPatchBytes = Infinity } = options
  if (contentLength > maxBodyBytes) {
    return { status: 413, headers: { 'content-type': 'text/html' }, body: Buffer.from('<h1>413 Too Large</h1>') }
  }
  if (request.method !== 'PATCH' || contentLength <= maxPatchBytes) return undefined
  return errorAnswer(416, 'SIZE_INVALID', 'the chunk is too long for this registry')
}

/** Reads the body into the upload. When it breaks off, the upload has what came, or has none of it. */
async function receive(exchange: Exchange, upload: Upload, digest?: Digest): Promise<void> {
  const before = { chunks: upload.chunks.length, sizeBytes: upload.sizeBytes }
  const wasUnsure = upload.unsure
  upload.unsure = true
  try {
    for await (const chunk of readBody(exchange)) {
      upload.chunks.push(chunk)
      upload.sizeBytes += chunk.length
      account(exchange, upload, digest, chunk.length)
    }
    upload.unsure = wasUnsure
  } catch (error) {
    if (exchange.options.cutBodies === 'Dropped') {
      upload.chunks.length = before.chunks
      upload.sizeBytes = before.sizeBytes
    }
    throw error
  }
}

function account({ state }: Exchange, upload: Upload, digest: Digest | undefined, sizeBytes: number): void {
  if (digest === undefined) {
    upload.receivedBytes += sizeBytes
    return
  }
  addTo(state.received, digest, sizeBytes)
  if (upload.heldBefore.has(digest)) addTo(state.receivedAgain, digest, sizeBytes)
}

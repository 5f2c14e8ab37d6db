import { type Digest, isDigest } from '../../../src/image/oci/descriptor.ts'
import { type Answer, type Exchange, errorAnswer, recordViolation, refuse } from './exchange.ts'

export interface BlobRequest {
  readonly repository: string
  readonly digest: string
  /** Where the bytes are fetched instead, `http://host:port`; undefined when they are given here. */
  readonly redirectTo: string | undefined
}

/** HEAD and GET of a blob. */
export function serveBlob(exchange: Exchange, { repository, digest, redirectTo }: BlobRequest): Answer {
  if (!isDigest(digest)) return refuse(exchange, 'DigestInvalid', 'DIGEST_INVALID', `\`${digest}\` is no digest`)
  const bytes = exchange.state.repositories.get(repository)?.blobs.get(digest)
  if (bytes === undefined) return errorAnswer(404, 'BLOB_UNKNOWN', `${repository} has no ${digest}`)
  if (exchange.request.method === 'GET' && redirectTo !== undefined) {
    return { status: 307, headers: { location: `${redirectTo}/${repository}/${digest}?signature=${signature}` } }
  }
  return answerBytes(exchange, digest, bytes)
}

/** What stands in a signed address; without it the second server gives nothing. */
const signature = 'a%2Fb%3D'

/** The second server: bytes for whoever has the signed address, and no Authorization. */
export function serveRedirected(exchange: Exchange): Answer {
  const { url, request, state } = exchange
  if (request.headers.authorization !== undefined) {
    recordViolation(exchange, 'AuthorizationAtRedirect', 'the login of the registry came to another host')
  }
  const [, repository = '', digest = ''] = /^\/(.+)\/([^/]+)$/.exec(url.pathname) ?? []
  const bytes = state.repositories.get(repository)?.blobs.get(digest as Digest)
  if (bytes === undefined || url.searchParams.get('signature') !== decodeURIComponent(signature)) {
    return {
      status: 403,
      headers: { 'content-type': 'application/xml' },
      body: Buffer.from('<Error>AccessDenied</Error>'),
    }
  }
  return answerBytes(exchange, digest as Digest, bytes)
}

function answerBytes({ request, options }: Exchange, digest: Digest, bytes: Uint8Array): Answer {
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest }
  const whole = { status: 200, headers, body: bytes }
  if (options.ranges === false) return whole
  const takesRanges = { ...headers, 'accept-ranges': 'bytes' }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  // HEAD has no ranges; a form that is not understood is passed over, as RFC 9110 says.
  if (first === undefined || request.method === 'HEAD') return { ...whole, headers: takesRanges }
  const end = Math.min(bytes.length - 1, last === '' ? Infinity : Number(last))
  if (Number(first) > end) {
    return { status: 416, headers: { ...takesRanges, 'content-range': `bytes */${bytes.length}` } }
  }
  return {
    status: 206,
    headers: { ...takesRanges, 'content-range': `bytes ${first}-${end}/${bytes.length}` },
    body: bytes.subarray(Number(first), end + 1),
  }
}

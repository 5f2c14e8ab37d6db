import { TowlineError, hasErrno } from '../../base/errors.ts'
import { hidePassword } from '../credentials/proxy.ts'

/** Whom nobody heard of. */
export interface Addressee {
  readonly server: string
  readonly context: string
  readonly proxy?: string
}

const certificateErrnos = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]
const absentErrnos = ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']
const lateErrnos = ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']
/** A connection that was in use, or kept for use, when its other end went away. */
const brokenErrnos = ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']

/** Why there is no answer, or only a part of one, as TL_CLUSTER_UNREACHABLE. Bugs are given back as they are. */
export function explainSilence(error: unknown, { server, context, proxy }: Addressee): unknown {
  const cause = rootOf(error)
  if (!(cause instanceof Error)) return error
  const way = proxy === undefined ? '' : ` through the proxy ${hidePassword(proxy)}`
  const silent = (what: string, hint: string): TowlineError =>
    new TowlineError('TL_CLUSTER_UNREACHABLE', `${server}${way}, context ${context}: ${what}`, { cause: error, hint })
  const proxyStatus = /Proxy response \((\d+)\)/.exec(cause.message)?.[1]
  if (proxyStatus !== undefined)
    return silent(
      `the proxy answers with status ${proxyStatus}`,
      proxyStatus === '407'
        ? 'it wants a name and a password: http://name:password@proxy'
        : 'see whether it may lead there; NO_PROXY leaves it out',
    )
  if (hasErrno(cause, ...certificateErrnos))
    return silent(
      `its certificate is not trusted (${cause.message})`,
      'the kubeconfig needs the authority that signed it (certificate-authority-data); sign in again to get it',
    )
  if (hasErrno(cause, 'ECONNREFUSED'))
    return silent(
      proxy === undefined ? 'nothing listens there' : 'nobody takes the connection',
      proxy === undefined ? 'start the cluster, or choose another one with --context' : 'is the proxy running?',
    )
  if (hasErrno(cause, 'ENOTFOUND', 'EAI_AGAIN'))
    return silent('its name is not known', 'is a VPN off, or the name in the kubeconfig wrong?')
  if (hasErrno(cause, ...absentErrnos, ...lateErrnos))
    return silent('it does not answer', 'is a VPN off, or a firewall in between?')
  if (hasErrno(cause, ...brokenErrnos, 'UND_ERR_ABORTED', 'EPROTO') || isForeign(cause))
    return silent(`the connection broke (${cause.message})`, adviceOn(cause))
  return error
}

/**
 * True where the same call may fare better at once: a connection broke, which is what a restart looks like. `wasReached`: it answered
 * before, so that a refused connection is a restart as well, and no wrong address.
 */
export function isPassing(error: unknown, wasReached: boolean): boolean {
  if (!(error instanceof TowlineError) || error.code !== 'TL_CLUSTER_UNREACHABLE') return false
  const cause = rootOf(error.cause)
  return hasErrno(cause, ...brokenErrnos) || (wasReached && hasErrno(cause, 'ECONNREFUSED'))
}

/** Of TLS, or of somebody who speaks something else than HTTP. */
function isForeign(error: Error): boolean {
  return 'code' in error && /^(ERR_(SSL|TLS)_|HPE_)/.test(String(error.code))
}

function adviceOn(cause: Error): string {
  const text = `${'code' in cause ? String(cause.code) : ''} ${cause.message}`
  if (/ALERT.*CERTIFICATE|alert.*certificate/.test(text))
    return 'the server does not take your certificate: sign in again'
  if (/WRONG_VERSION|PACKET_LENGTH|HPE_/.test(text)) return 'something else than a Kubernetes API server listens there'
  return 'try again; if it stays so, see whether the server is well'
}

function rootOf(error: unknown): unknown {
  // Of several addresses tried, the first speaks for all.
  const cause = error instanceof AggregateError ? error.errors[0] : error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? rootOf(cause) : error
}

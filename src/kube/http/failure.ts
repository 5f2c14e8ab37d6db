import { type ErrorCode, TowlineError, hasErrno } from '../../base/errors.ts'

/** What an API server says of a failure: a `Status` object. */
export interface StatusBody {
  readonly reason?: string
  readonly message?: string
  readonly code?: number
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  }
}

/** A refusal with the status it came with: callers tell a full quota from a wrong field by it. */
export class KubeFailure extends TowlineError {
  readonly status: number
  readonly body: StatusBody

  constructor(
    code: ErrorCode,
    detail: string,
    more: { readonly hint?: string; readonly status: number; readonly body: StatusBody },
  ) {
    super(code, detail, more.hint === undefined ? {} : { hint: more.hint })
    this.status = more.status
    this.body = more.body
  }
}

/** What is asked, for messages: `GET /api/v1/namespaces/cats/pods`. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly server: string
  readonly context: string
}

export function readFailure(status: number, text: string, asked: Asked): KubeFailure {
  const body = readStatus(text)
  const said = body.message ?? (text.trim().slice(0, 300) || `status ${status}`)
  const what = `${asked.method} ${asked.path.split('?', 1)[0]}`
  const fail = (code: ErrorCode, detail: string, hint?: string): KubeFailure =>
    new KubeFailure(code, detail, { status, body, ...(hint === undefined ? {} : { hint }) })
  if (status === 401)
    return fail('TL_CLUSTER_UNAUTHORIZED', `${asked.server}, context ${asked.context}: ${said}`, 'sign in again')
  if (status === 403 && !isQuota(said))
    return fail('TL_CLUSTER_FORBIDDEN', said, 'ask whoever runs the cluster for a role with this right')
  if (status === 409 || status === 412) return fail('TL_CLUSTER_CONFLICT', said)
  // A field that the server does not know is answered as a failure of the server when it is applied.
  const isUnknownField = said.includes('failed to create typed patch object')
  if (status >= 500 && !isUnknownField) return fail('TL_CLUSTER_FAILED', `${what} at ${asked.server}: ${said}`)
  return fail('TL_CLUSTER_REFUSED', withCauses(said, body))
}

/** A full quota is answered as forbidden, but it is no matter of rights. */
function isQuota(message: string): boolean {
  return /exceeded quota|violates PodSecurity|admission webhook|is forbidden: .*(limit|maximum|minimum)/i.test(message)
}

function withCauses(said: string, { details }: StatusBody): string {
  const causes = (details?.causes ?? [])
    .filter(({ message = '', field = '' }) => !said.includes(message) || !said.includes(field))
    .map(({ field, message }) => (field === undefined ? (message ?? '') : `${field}: ${message}`))
  return causes.length === 0 ? said : `${said} (${causes.join('; ')})`
}

export function readStatus(text: string): StatusBody {
  try {
    const value = JSON.parse(text) as StatusBody | null // checked by kind
    return typeof value === 'object' && value !== null && (value as { kind?: string }).kind === 'Status' ? value : {}
  } catch {
    return {}
  }
}

const certificateErrnos = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]

/** Why there is no answer at all. Bugs are given back as they are. */
export function explainSilence(error: unknown, { server, context }: Pick<Asked, 'server' | 'context'>): unknown {
  const cause = rootOf(error)
  const silent = (what: string, hint: string): TowlineError =>
    new TowlineError('TL_CLUSTER_UNREACHABLE', `${server}, context ${context}: ${what}`, { cause: error, hint })
  if (hasErrno(cause, ...certificateErrnos))
    return silent(
      `its certificate is not trusted (${cause instanceof Error ? cause.message : ''})`,
      'the kubeconfig needs the authority that signed it (certificate-authority-data); sign in again to get it',
    )
  if (hasErrno(cause, 'ECONNREFUSED'))
    return silent('nothing listens there', 'start the cluster, or choose another one with --context')
  if (hasErrno(cause, 'ENOTFOUND', 'EAI_AGAIN'))
    return silent('its name is not known', 'is a VPN off, or the name in the kubeconfig wrong?')
  if (
    hasErrno(
      cause,
      'ETIMEDOUT',
      'UND_ERR_CONNECT_TIMEOUT',
      'UND_ERR_HEADERS_TIMEOUT',
      'UND_ERR_BODY_TIMEOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
    )
  )
    return silent('it does not answer', 'is a VPN off, or a firewall in between?')
  if (
    hasErrno(
      cause,
      'ECONNRESET',
      'EPIPE',
      'UND_ERR_SOCKET',
      'UND_ERR_ABORTED',
      'EPROTO',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    ) ||
    isTls(cause)
  )
    return silent(
      `the connection broke (${cause instanceof Error ? cause.message : ''})`,
      'try again; if it stays so, see whether the server is well',
    )
  return error
}

function isTls(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^ERR_(SSL|TLS)_/.test(String(error.code))
}

function rootOf(error: unknown): unknown {
  const cause = error instanceof AggregateError ? error.errors[0] : error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? rootOf(cause) : error
}

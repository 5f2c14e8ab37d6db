import { oneLine } from '../../base/display.ts'
import { type ErrorCode, TowlineError } from '../../base/errors.ts'

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
    this.name = 'KubeFailure'
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

/** The status of a failure that a server answered; undefined for every other one. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof KubeFailure ? error.status : undefined
}

/** An answer of 300 and up as a failure: in the server's own words where it has some. */
export function readFailure(status: number, text: string, asked: Asked): KubeFailure {
  const body = readStatus(text)
  const said = body.message ?? (oneLine(text) || `status ${status}`)
  const what = `${asked.method} ${asked.path.split('?', 1)[0]}`
  const fail = (code: ErrorCode, detail: string, hint?: string): KubeFailure =>
    new KubeFailure(code, detail, { status, body, ...(hint === undefined ? {} : { hint }) })
  if (status === 401)
    return fail('TL_CLUSTER_UNAUTHORIZED', `${asked.server}, context ${asked.context}: ${said}`, 'sign in again')
  if (status === 403 && (body.message === undefined || isLackOfRights(said)))
    return fail('TL_CLUSTER_FORBIDDEN', said, 'ask whoever runs the cluster for a role with this right')
  if (status === 409 || status === 412) return fail('TL_CLUSTER_CONFLICT', said)
  if (status === 404 && body.message === undefined)
    return fail(
      'TL_CLUSTER_REFUSED',
      `${asked.server} serves nothing at ${asked.path.split('?', 1)[0]}`,
      'the kind is not installed there, or the address is not that of a Kubernetes API server',
    )
  // A field that the server does not know is answered as a failure of the server when it is applied.
  const isUnknownField = said.includes('failed to create typed patch object')
  if (status >= 500 && !isUnknownField) return fail('TL_CLUSTER_FAILED', `${what} at ${asked.server}: ${said}`)
  return fail('TL_CLUSTER_REFUSED', withCauses(said, body))
}

/** A full quota and an admission that says no are answered as forbidden as well, but they are no matter of rights. */
function isLackOfRights(message: string): boolean {
  return /\bUser ".*" cannot /.test(message)
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

import type { Kind } from './kind.ts'
import type { JsonObject } from './stored-object.ts'

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

export interface StatusMore {
  readonly details?: JsonObject
  readonly metadata?: JsonObject
  readonly retryAfterSeconds?: number
}

/** What the server answers instead: thrown by whatever serves a request, and sent as a `Status` object. */
export class StatusFailure extends Error {
  readonly code: number
  readonly reason: string
  readonly more: StatusMore

  constructor(code: number, reason: string, message: string, more: StatusMore = {}) {
    super(message)
    this.code = code
    this.reason = reason
    this.more = more
  }
}

export function renderStatus({ code, reason, message, more }: StatusFailure): JsonObject {
  const { details, metadata = {} } = more
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  }
}

/** `deployments.apps` */
export function qualify({ plural, group }: Pick<Kind, 'plural' | 'group'>): string {
  return group === '' ? plural : `${plural}.${group}`
}

export function detailsOf({ plural, group }: Pick<Kind, 'plural' | 'group'>, name: string): JsonObject {
  return { name, ...(group === '' ? {} : { group }), kind: plural }
}

export const badRequest = (message: string): StatusFailure => new StatusFailure(400, 'BadRequest', message)

export function notFound(kind: Kind, name: string): StatusFailure {
  return new StatusFailure(404, 'NotFound', `${qualify(kind)} "${name}" not found`, { details: detailsOf(kind, name) })
}

/** The address names no kind, or a kind that is not served. */
export function unknownResource(): StatusFailure {
  return new StatusFailure(404, 'NotFound', 'the server could not find the requested resource', { details: {} })
}

export function alreadyExists(kind: Kind, name: string, isEnding: boolean): StatusFailure {
  const message = `${isEnding ? 'object is being deleted: ' : ''}${qualify(kind)} "${name}" already exists`
  return new StatusFailure(409, 'AlreadyExists', message, { details: detailsOf(kind, name) })
}

export function conflict(kind: Kind, name: string, why: string): StatusFailure {
  const message = `Operation cannot be fulfilled on ${qualify(kind)} "${name}": ${why}`
  return new StatusFailure(409, 'Conflict', message, { details: detailsOf(kind, name) })
}

export const changedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again'

/** The watcher or the pager must begin again. */
export function expired(message: string, metadata: JsonObject = {}): StatusFailure {
  return new StatusFailure(410, 'Expired', message, { metadata })
}

/** A field that is wrong: the kind of mistake in the words of the server, such as `Required value`. */
export interface Invalid {
  readonly field: string
  readonly mistake: 'Required value' | 'Invalid value' | 'Forbidden'
  /** What comes after the colon. */
  readonly detail?: string
}

const causeReasons = {
  'Required value': 'FieldValueRequired',
  'Invalid value': 'FieldValueInvalid',
  Forbidden: 'FieldValueForbidden',
} as const

export function invalid(
  what: { readonly kind: string; readonly group: string; readonly name: string },
  mistakes: readonly Invalid[],
): StatusFailure {
  const causes = mistakes.map(({ field, mistake, detail }): Cause => {
    const message = detail === undefined ? mistake : `${mistake}: ${detail}`
    return { reason: causeReasons[mistake], message, field }
  })
  const lines = causes.map(({ field, message }) => `${field}: ${message}`)
  const { name, group, kind } = what
  const qualified = group === '' ? kind : `${kind}.${group}`
  const message = `${qualified} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind, causes }
  return new StatusFailure(422, 'Invalid', message, { details })
}

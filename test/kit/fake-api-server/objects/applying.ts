import { applyIntent } from '../ownership/apply.ts'
import { reportConflicts } from '../ownership/conflict.ts'
import { readOwnership } from '../ownership/managers.ts'
import { DuplicateItems } from '../ownership/typed-value.ts'
import type { Kind } from './kind.ts'
import { StatusFailure } from './status-failure.ts'
import { type JsonObject, type StoredObject, isObject, objectAt } from './stored-object.ts'
import { type WriteContext, prepareChange, prepareNew, renderTime } from './writing.ts'

/**
 * What server-side apply makes of an object, not yet stored; `live` undefined: it is new. Throws a StatusFailure: 409 with a cause for each field of somebody
 * else, unless `force`.
 */
export function prepareApplied(
  kind: Kind,
  live: StoredObject | undefined,
  intent: JsonObject,
  context: WriteContext & { readonly force: boolean },
): StoredObject {
  const { manager, clock, force } = context
  const { name, namespace } = objectAt(intent, 'metadata')
  const { managedFields, ...liveMeta } = live?.metadata ?? { name, namespace, managedFields: [] }
  const before = { ...(live ?? { apiVersion: kind.apiVersion, kind: kind.kind }), metadata: liveMeta }
  const half = dropNulls(chooseIntent(kind, intent, manager.subresource)) as JsonObject
  const time = renderTime(clock)
  const outcome = tellDuplicates(kind, intent, () =>
    applyIntent(before, half, readOwnership(managedFields), { manager, schema: kind.schema, time }, force),
  )
  if (outcome.kind === 'Conflict') {
    const { message, causes } = reportConflicts(outcome.conflicts)
    throw new StatusFailure(409, 'Conflict', message, { details: { causes } })
  }
  const more = { ...context, ownership: outcome.ownership }
  return live === undefined ? prepareNew(kind, outcome.object, more) : prepareChange(kind, live, outcome.object, more)
}

/** Nobody can own the half of an object that the address does not lead to. */
function chooseIntent(kind: Kind, intent: JsonObject, subresource: string | undefined): JsonObject {
  if (!kind.hasStatus) return intent
  const { status, spec, ...rest } = intent
  return subresource === 'status' ? { ...rest, status } : { ...rest, ...(spec === undefined ? {} : { spec }) }
}

function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([field, item]) => [field, dropNulls(item)]),
  )
}

function tellDuplicates<T>(kind: Kind, intent: JsonObject, apply: () => T): T {
  try {
    return apply()
  } catch (error) {
    if (!(error instanceof DuplicateItems)) throw error
    const { name } = objectAt(intent, 'metadata')
    const what = `/${String(name)}; ${kind.apiVersion}, Kind=${kind.kind}`
    throw new StatusFailure(500, '', `failed to create typed patch object (${what}): ${error.message}`)
  }
}

import { type JsonObject, isSameJson } from '../objects/stored-object.ts'
import type { Conflict } from './conflict.ts'
import { type FieldSet, addNamedFields, emptySet, intersect, isEmptySet, subtract, unite } from './field-set.ts'
import { type Managed, type Manager, type Ownership, dropUnowned, isSameManager } from './managers.ts'
import type { Schema } from './schema.ts'
import { type Difference, compare, listFields, merge, removeFields } from './typed-value.ts'

export interface WriteBy {
  readonly manager: Manager
  readonly schema: Schema
  readonly time: string
}

export type ApplyOutcome =
  | { readonly kind: 'Conflict'; readonly conflicts: readonly Conflict[] }
  | { readonly kind: 'Applied'; readonly object: JsonObject; readonly ownership: Ownership }

/**
 * Server-side apply: what the manager said last time and does not say now goes, unless somebody else says it too; what it says now is laid over the rest.
 * Without `force`, a field that changes and belongs to another manager is a conflict.
 */
export function applyIntent(
  live: JsonObject,
  intent: JsonObject,
  ownership: Ownership,
  { manager, schema, time }: WriteBy,
  force: boolean,
): ApplyOutcome {
  const last = ownership.find((one) => isSameManager(one, manager))
  const mine: Managed = { ...manager, fields: dropUnowned(listFields(intent, schema)), time: last?.time }
  const others = ownership.filter((one) => one !== last)
  const merged = merge(live, intent, schema) as JsonObject
  const object = last === undefined ? merged : prune(merged, last.fields, [mine, ...others], schema)
  const difference = compare(live, object, schema)
  const conflicts = findConflicts(others, difference)
  if (!force && conflicts.length > 0) return { kind: 'Conflict', conflicts }
  // Another order of items is a change too.
  if (isSameJson(live, object)) return { kind: 'Applied', object: live, ownership: [mine, ...others] }
  return { kind: 'Applied', object, ownership: [{ ...mine, time }, ...takeFrom(others, difference, conflicts)] }
}

/** Any other write: what it changes becomes the manager's, whoever had it. */
export function takeChanges(
  live: JsonObject,
  next: JsonObject,
  ownership: Ownership,
  { manager, schema, time }: WriteBy,
): Ownership {
  const difference = compare(live, next, schema)
  const last = ownership.find((one) => isSameManager(one, manager))
  const others = ownership.filter((one) => one !== last)
  const taken = dropUnowned(unite(difference.added, difference.modified))
  const kept = subtract(last?.fields ?? emptySet, difference.removed)
  const mine: Managed = { ...manager, fields: unite(kept, taken), time: isEmptySet(taken) ? last?.time : time }
  return [mine, ...takeFrom(others, difference, findConflicts(others, difference))]
}

function findConflicts(others: Ownership, { added, modified }: Difference): readonly Conflict[] {
  return others
    .map((manager) => ({ manager, fields: intersect(manager.fields, unite(added, modified)) }))
    .filter(({ fields }) => !isEmptySet(fields))
}

function takeFrom(others: Ownership, { removed }: Difference, conflicts: readonly Conflict[]): Ownership {
  return others.map((one) => {
    const lost = conflicts.find(({ manager }) => manager === one)?.fields ?? emptySet
    return { ...one, fields: subtract(subtract(one.fields, lost), removed) }
  })
}

/** Without what was in the manager's last intent and is in nobody's now. */
function prune(merged: JsonObject, last: FieldSet, ownership: Ownership, schema: Schema): JsonObject {
  const all = (value: JsonObject): FieldSet => addNamedFields(listFields(value, schema))
  const lastNamed = addNamedFields(last)
  const owned = addNamedFields(ownership.reduce((set, { fields }) => unite(set, fields), emptySet))
  const without = removeFields(merged, lastNamed, schema) as JsonObject
  const wanted = removeFields(merged, subtract(all(merged), unite(all(without), owned)), schema) as JsonObject
  const dangling = subtract(intersect(all(merged), lastNamed), all(wanted))
  return removeFields(merged, dangling, schema) as JsonObject
}

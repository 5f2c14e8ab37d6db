import { isDeepStrictEqual } from 'node:util'

export type JsonObject = { readonly [field: string]: unknown }

/** An object as it lies in the store: JSON with everything that the server writes into it. */
export interface StoredObject extends JsonObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMeta
}

export interface StoredMeta extends JsonObject {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly ManagedEntry[]
}

export interface OwnerReference {
  readonly uid: string
  readonly kind: string
  readonly name: string
  readonly blockOwnerDeletion?: boolean
}

/** One manager's fields, as `metadata.managedFields` has them. */
export interface ManagedEntry {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time?: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: JsonObject
  readonly subresource?: string
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object there, or an empty one. */
export function objectAt(value: JsonObject, ...path: readonly string[]): JsonObject {
  let at: unknown = value
  for (const field of path) at = isObject(at) ? at[field] : undefined
  return isObject(at) ? at : {}
}

/** Equal as JSON: the order of fields does not matter, absent is the same as undefined. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(dropUndefined(a), dropUndefined(b))
}

function dropUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropUndefined)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([field, item]) => [field, dropUndefined(item)]),
  )
}

/** A text as it is, anything else as JSON; nothing as the empty text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

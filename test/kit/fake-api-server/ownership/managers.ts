import type { ManagedEntry } from '../objects/stored-object.ts'
import { type FieldSet, decodeSet, dropPath, encodeSet, isEmptySet } from './field-set.ts'

/** Who wrote: the same name is another manager in another operation, version or subresource. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string | undefined
}

export interface Managed extends Manager {
  readonly fields: FieldSet
  readonly time: string | undefined
}

/** Who owns what of one object. */
export type Ownership = readonly Managed[]

export function isSameManager(a: Manager, b: Manager): boolean {
  const isSameVersion = a.operation === 'Apply' || a.apiVersion === b.apiVersion
  return a.name === b.name && a.operation === b.operation && a.subresource === b.subresource && isSameVersion
}

export function readOwnership(entries: readonly ManagedEntry[] = []): Ownership {
  return entries.map(({ manager, operation, apiVersion, subresource, time, fieldsV1 }) => ({
    name: manager,
    operation,
    apiVersion,
    subresource,
    time,
    fields: decodeSet(fieldsV1),
  }))
}

/** Appliers first, then by time and name. Managers without a field are gone. */
export function writeOwnership(ownership: Ownership): readonly ManagedEntry[] {
  const order = ({ operation, time = '', name }: Managed): string => `${operation} ${time} ${name}`
  return ownership
    .filter(({ fields }) => !isEmptySet(fields))
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ name, operation, apiVersion, time, subresource, fields }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeSet(fields),
      ...(subresource === undefined ? {} : { subresource }),
    }))
}

/** What belongs to the server, whoever sends it. */
const unowned = [
  'name',
  'namespace',
  'creationTimestamp',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]

/** Without the fields that nobody can own. */
export function dropUnowned(set: FieldSet): FieldSet {
  const withoutMeta = unowned.reduce((at, field) => dropPath(at, ['f:metadata', `f:${field}`], true), set)
  const paths = [['f:apiVersion'], ['f:kind'], ['f:metadata']]
  return paths.reduce((at, path) => dropPath(at, path, false), withoutMeta)
}

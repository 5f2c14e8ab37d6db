import { type JsonObject, isObject, isSameJson } from '../objects/stored-object.ts'
import { type FieldSet, emptySet, fieldSet, leaf, renderKeys } from './field-set.ts'
import type { Key, Schema, Shape } from './schema.ts'

/** The values directly below one, by their steps; undefined: it has no parts, managers own it as a whole. */
interface Parts {
  readonly kind: 'Object' | 'List'
  readonly steps: ReadonlyMap<string, unknown>
}

/** Two items of a list with the same keys, which no apply may bring. */
export class DuplicateItems extends Error {
  constructor(path: readonly string[], keys: string) {
    super(`.${path.join('.')}: duplicate entries for key [${keys}]`)
  }
}

function findParts(value: unknown, path: readonly string[], schema: Schema): Parts | undefined {
  const shape = schema(path)
  if (shape.kind === 'Atomic') return undefined
  if (isObject(value)) {
    return { kind: 'Object', steps: new Map(Object.entries(value).map(([field, item]) => [`f:${field}`, item])) }
  }
  if (!Array.isArray(value) || shape.kind === 'Plain') return undefined
  const steps = new Map<string, unknown>()
  for (const item of value) {
    const keys = shape.kind === 'Keyed' ? readKeys(item, shape.keys) : undefined
    const step = keys === undefined ? `v:${JSON.stringify(item)}` : `k:${JSON.stringify(keys)}`
    if (steps.has(step)) throw new DuplicateItems(path, keys === undefined ? step.slice(2) : renderKeys(keys))
    steps.set(step, item)
  }
  return { kind: 'List', steps }
}

function readKeys(item: unknown, keys: readonly Key[]): JsonObject {
  const from = isObject(item) ? item : {}
  return Object.fromEntries(
    keys.map(({ field, otherwise }) => [field, from[field] ?? otherwise]).filter(([, value]) => value !== undefined),
  )
}

const pathBelow = (path: readonly string[], step: string): readonly string[] =>
  step.startsWith('f:') ? [...path, step.slice(2)] : path

/** An item stands at the path of its list, and must not be taken for another list there. */
function schemaBelow(schema: Schema, path: readonly string[], step: string): Schema {
  if (step.startsWith('f:')) return schema
  const shape = schema(path)
  const item: Shape = shape.kind === 'Keyed' && shape.whole === true ? { kind: 'Atomic' } : { kind: 'Plain' }
  return (below) => (below.length === path.length ? item : schema(below))
}

/** All that a manager says with this value. */
export function listFields(value: unknown, schema: Schema, path: readonly string[] = []): FieldSet {
  const parts = findParts(value, path, schema)
  if (parts === undefined) return leaf
  if (parts.steps.size === 0) return parts.kind === 'Object' && path.length > 0 ? leaf : emptySet
  return fieldSet(
    false,
    [...parts.steps].map(([step, item]) => {
      const below = listFields(item, schemaBelow(schema, path, step), pathBelow(path, step))
      return [step, parts.kind === 'List' ? { ...below, member: true } : below]
    }),
  )
}

export interface Difference {
  /** New, with all below. */
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

const noDifference: Difference = { added: emptySet, modified: emptySet, removed: emptySet }

/** What changes between two values; undefined is none. The order of items with keys is no matter. */
export function compare(before: unknown, after: unknown, schema: Schema, path: readonly string[] = []): Difference {
  if (before === undefined && after === undefined) return noDifference
  const old = before === undefined ? undefined : findParts(before, path, schema)
  const young = after === undefined ? undefined : findParts(after, path, schema)
  const isWhole = (before !== undefined && old === undefined) || (after !== undefined && young === undefined)
  if (isWhole || (old !== undefined && young !== undefined && old.kind !== young.kind)) {
    if (before === undefined) return { ...noDifference, added: leaf }
    if (after === undefined) return { ...noDifference, removed: leaf }
    return isSameJson(before, after) ? noDifference : { ...noDifference, modified: leaf }
  }
  const steps = [...new Set([...(old?.steps.keys() ?? []), ...(young?.steps.keys() ?? [])])]
  const below = steps.map(
    (step) =>
      [
        step,
        compare(old?.steps.get(step), young?.steps.get(step), schemaBelow(schema, path, step), pathBelow(path, step)),
      ] as const,
  )
  const gather = (which: keyof Difference, member: boolean): FieldSet =>
    fieldSet(
      member,
      below.map(([step, difference]) => [step, difference[which]]),
    )
  return {
    added: gather('added', before === undefined),
    modified: gather('modified', false),
    removed: gather('removed', after === undefined),
  }
}

/** `wanted` laid over `live`: what it says holds, what it does not mention stays. */
export function merge(live: unknown, wanted: unknown, schema: Schema, path: readonly string[] = []): unknown {
  if (wanted === undefined) return live
  const old = live === undefined ? undefined : findParts(live, path, schema)
  const young = findParts(wanted, path, schema)
  if (old === undefined || young === undefined || old.kind !== young.kind) return wanted
  const mergeStep = (step: string): unknown =>
    merge(old.steps.get(step), young.steps.get(step), schemaBelow(schema, path, step), pathBelow(path, step))
  if (young.kind === 'Object') {
    const steps = new Set([...old.steps.keys(), ...young.steps.keys()])
    return Object.fromEntries([...steps].map((step) => [step.slice(2), mergeStep(step)]))
  }
  return orderItems([...old.steps.keys()], [...young.steps.keys()]).map(mergeStep)
}

/** Items that both have in the order of the new list; the old one's others stay before what they stood before. */
function orderItems(old: readonly string[], young: readonly string[]): readonly string[] {
  const result: string[] = []
  const shared = young.filter((step) => old.includes(step))
  let o = 0
  for (const step of young) {
    while (o < old.length) {
      const other = old[o] ?? ''
      if (young.includes(other)) {
        // One that is placed already, or that comes later in the new order, has lost its place in the old one.
        if (other === step || (!result.includes(other) && other === shared.find((one) => !result.includes(one)))) break
        o++
      } else {
        result.push(other)
        o++
      }
    }
    result.push(step)
    if (old[o] === step) o++
  }
  return [...result, ...old.slice(o).filter((step) => !young.includes(step))]
}

/** Without the members of the set and all below them; what is empty then goes as well. */
export function removeFields(value: unknown, set: FieldSet, schema: Schema, path: readonly string[] = []): unknown {
  const parts = findParts(value, path, schema)
  if (parts === undefined) return value
  const kept = [...parts.steps]
    .filter(([step]) => set.below.get(step)?.member !== true)
    .map(([step, item]) => {
      const below = set.below.get(step)
      if (below === undefined) return [step, item] as const
      return [step, removeFields(item, below, schemaBelow(schema, path, step), pathBelow(path, step))] as const
    })
    .filter(([, item]) => item !== undefined)
  if (kept.length === 0) return path.length === 0 ? {} : undefined
  if (parts.kind === 'List') return kept.map(([, item]) => item)
  return Object.fromEntries(kept.map(([step, item]) => [step.slice(2), item]))
}

import { type JsonObject, isObject } from '../objects/stored-object.ts'

/**
 * A set of paths into an object, as a tree. Steps are written as in FieldsV1: `f:replicas` for a field, `k:{"name":"a"}` for an item of a
 * list with keys, `v:"x"` for an item of a set.
 */
export interface FieldSet {
  /** Whether this path itself is in the set, and not only some below it. */
  readonly member: boolean
  readonly below: ReadonlyMap<string, FieldSet>
}

export const emptySet: FieldSet = { member: false, below: new Map() }
export const leaf: FieldSet = { member: true, below: new Map() }

export function isEmptySet({ member, below }: FieldSet): boolean {
  return !member && below.size === 0
}

/** Without branches that lead to nothing. */
export function fieldSet(member: boolean, below: Iterable<readonly [string, FieldSet]>): FieldSet {
  return { member, below: new Map([...below].filter(([, set]) => !isEmptySet(set))) }
}

export function unite(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA || inB)
}

export function subtract(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB)
}

export function intersect(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB)
}

function combine(a: FieldSet, b: FieldSet, keep: (inA: boolean, inB: boolean) => boolean): FieldSet {
  const steps = new Set([...a.below.keys(), ...b.below.keys()])
  return fieldSet(
    keep(a.member, b.member),
    [...steps].map((step) => [step, combine(a.below.get(step) ?? emptySet, b.below.get(step) ?? emptySet, keep)]),
  )
}

/** Every field that leads to a member becomes one; items of lists do not. */
export function addNamedFields(set: FieldSet): FieldSet {
  return fieldSet(
    set.member,
    [...set.below].map(([step, child]) => {
      const all = addNamedFields(child)
      return [step, step.startsWith('f:') ? { ...all, member: true } : all]
    }),
  )
}

/** The same without these paths of fields, whatever lies below them where `deep`. */
export function dropPath(set: FieldSet, path: readonly string[], deep: boolean): FieldSet {
  const [step, ...rest] = path
  if (step === undefined) return deep ? emptySet : { ...set, member: false }
  const child = set.below.get(step)
  if (child === undefined) return set
  const others = [...set.below].filter(([other]) => other !== step)
  return fieldSet(set.member, [...others, [step, dropPath(child, rest, deep)]])
}

/** As FieldsV1: a lone member is `{}`, one with more below it has a `.`. */
export function encodeSet({ member, below }: FieldSet): JsonObject {
  const sorted = [...below].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...(member && below.size > 0 ? { '.': {} } : {}),
    ...Object.fromEntries(sorted.map(([step, child]) => [step, encodeSet(child)])),
  }
}

/** Reads FieldsV1. */
export function decodeSet(value: unknown, isRoot = true): FieldSet {
  const entries = Object.entries(isObject(value) ? value : {})
  const below = entries
    .filter(([step]) => step !== '.')
    .map(([step, child]) => [step, decodeSet(child, false)] as const)
  return fieldSet(!isRoot && (entries.length === 0 || entries.some(([step]) => step === '.')), below)
}

/** Paths of the members as messages name them, and in their order: `.spec.template.spec.containers[name="a"].image`. */
export function listPaths({ below }: FieldSet, prefix = ''): string[] {
  const sorted = [...below].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const here = sorted.filter(([, { member }]) => member).map(([step]) => prefix + renderStep(step))
  return [...here, ...sorted.flatMap(([step, child]) => listPaths(child, prefix + renderStep(step)))]
}

function renderStep(step: string): string {
  const text = step.slice(2)
  if (step.startsWith('f:')) return `.${text}`
  if (step.startsWith('v:')) return `[=${text}]`
  return `[${renderKeys(JSON.parse(text))}]`
}

/** `name="a"`, `containerPort=80,protocol="TCP"` */
export function renderKeys(keys: JsonObject): string {
  return Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')
}

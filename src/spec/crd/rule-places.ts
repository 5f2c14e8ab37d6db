import type { Rule } from './rule.ts'
import type { StructuralSchema } from './open-api.ts'

/** `schema` with each rule at the part that it sees as `self`. A rule without such a part is a bug: it would never be asked. */
export function placeRules(schema: StructuralSchema, rules: readonly Rule[]): StructuralSchema {
  const left = Map.groupBy(rules, ({ at }) => at)
  const place = (part: StructuralSchema, path: string): StructuralSchema => {
    const own = left.get(path)
    left.delete(path)
    const { properties, items } = part
    return {
      ...part,
      ...(properties === undefined ? {} : { properties: placeInFields(properties, path, place) }),
      ...(items === undefined ? {} : { items: place(items, `${path}[]`) }),
      ...(own === undefined ? {} : { 'x-kubernetes-validations': own.map(writeRule) }),
    }
  }
  const placed = place(schema, '')
  if (left.size > 0) throw new Error(`there is nothing at ${[...left.keys()].join(', ')}`)
  return placed
}

function placeInFields(
  fields: Readonly<Record<string, StructuralSchema>>,
  path: string,
  place: (part: StructuralSchema, path: string) => StructuralSchema,
): Readonly<Record<string, StructuralSchema>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, place(field, path === '' ? name : `${path}.${name}`)]),
  )
}

function writeRule({ rule, say, field }: Rule): object {
  return { rule, ...say, ...(field === undefined ? {} : { fieldPath: `.${field}` }) }
}

import { mergedLists, setLists } from '../source/list-keys.ts'
import type { StructuralSchema } from './open-api.ts'
import { patchSchema } from './pod-patch-schema.ts'

/** As `renderModelServiceSchema` writes it. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema | boolean
  readonly [keyword: string]: unknown
}

/** Both have these, and they mean the same. */
const sameInBoth = [
  'allOf',
  'description',
  'enum',
  'maxItems',
  'maxLength',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'pattern',
  'required',
  'type',
]
/** `propertyNames` has no counterpart; it bounds names of Kubernetes' own fields, which Kubernetes checks when it meets them. */
const written = ['additionalProperties', 'anyOf', 'items', 'properties', 'propertyNames', 'x-kubernetes-int-or-string']

/** What a cluster is to check of `schema`, whose place in the document is `path`. A keyword that would be lost is a bug. */
export function writeStructural(schema: JsonSchema, path: string): StructuralSchema {
  const lost = Object.keys(schema).filter((keyword) => !sameInBoth.includes(keyword) && !written.includes(keyword))
  if (lost.length > 0) throw new Error(`${path} has ${lost.join(', ')}, which has no counterpart in a custom resource`)
  const kept = Object.fromEntries(Object.entries(schema).filter(([keyword]) => sameInBoth.includes(keyword)))
  if (schema['x-kubernetes-int-or-string'] === true) return { ...kept, ...intOrText }
  if (schema.anyOf !== undefined) throw new Error(`${path} is a choice of types, which only quantities may be`)
  if (schema.type === 'array') return { ...kept, ...writeItems(schema, path) }
  if (schema.type === 'object') return { ...kept, ...writeFields(schema, path) }
  return kept
}

/** Fractions are text here: a sealed document holds none as a number. */
const intOrText: StructuralSchema = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  maxLength: 40,
  'x-kubernetes-int-or-string': true,
}

function writeItems({ items }: JsonSchema, path: string): StructuralSchema {
  if (items === undefined) throw new Error(`${path} has no items`)
  const key = mergedLists[path]
  const list = { items: writeStructural(items, `${path}[]`) }
  if (key !== undefined) return { ...list, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] }
  return { ...list, 'x-kubernetes-list-type': setLists.includes(path) ? 'set' : 'atomic' }
}

function writeFields({ properties = {}, additionalProperties }: JsonSchema, path: string): StructuralSchema {
  const fields = Object.entries(properties).map(
    ([name, field]) => [name, writeStructural(field, `${path}.${name}`)] as const,
  )
  const named: StructuralSchema = {
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields) }),
    // A reference is replaced as a whole: half of another one leads nowhere.
    ...(path.endsWith('Ref') ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  }
  // Unknown fields are refused by strict validation and by server-side apply; no schema can refuse them.
  if (additionalProperties === undefined || typeof additionalProperties === 'boolean') return named
  // Kubernetes' own structures; of one of them rules have to see something.
  if (Object.keys(additionalProperties).length === 0)
    return path === 'spec.pod.patch' ? patchSchema : { ...named, 'x-kubernetes-preserve-unknown-fields': true }
  return { ...named, additionalProperties: writeStructural(additionalProperties, `${path}.*`) }
}

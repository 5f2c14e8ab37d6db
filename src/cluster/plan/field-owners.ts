import type { KubeObject } from '../../kube/object.ts'
import { managers } from '../concerns.ts'

/** One step into an object: a field, or an item of a list that is told apart by some of its fields. */
export type FieldStep =
  | { readonly field: string }
  | { readonly item: Readonly<Record<string, unknown>>; readonly name: string }

const ours = new Set<string>(Object.values(managers))

/** Managers other than ours that own this field or one inside it, as `metadata.managedFields` says. */
export function findOwners({ metadata }: KubeObject, steps: readonly FieldStep[]): readonly string[] {
  const owners = (metadata?.managedFields ?? []).filter(
    ({ manager = '', fieldsV1 }) => !ours.has(manager) && owns(fieldsV1, steps),
  )
  return [...new Set(owners.map(({ manager = 'somebody' }) => manager))]
}

function owns(fields: unknown, [step, ...rest]: readonly FieldStep[]): boolean {
  if (typeof fields !== 'object' || fields === null) return false
  if (step === undefined) return true
  const inside = fields as Readonly<Record<string, unknown>>
  if ('field' in step) return owns(inside[`f:${step.field}`], rest)
  const key = Object.keys(inside).find((each) => each.startsWith('k:') && isKeyOf(each.slice(2), step.item))
  return key !== undefined && owns(inside[key], rest)
}

/** `{"containerPort":8080,"protocol":"TCP"}` */
function isKeyOf(text: string, item: Readonly<Record<string, unknown>>): boolean {
  const key = JSON.parse(text) as Readonly<Record<string, unknown>>
  return Object.entries(key).every(([name, value]) => item[name] === value)
}

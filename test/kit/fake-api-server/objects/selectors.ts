import type { Kind } from './kind.ts'
import { badRequest } from './status-failure.ts'
import { type JsonObject, type StoredObject, isObject } from './stored-object.ts'

export type Matches = (object: StoredObject) => boolean

type LabelRule = (labels: Readonly<Record<string, string>>) => boolean

const rule =
  /^(?:!\s*(?<absent>[\w./-]+)|(?<key>[\w./-]+)(?:\s*(?<equals>==|=|!=)\s*(?<value>[\w.-]*)|\s+(?<set>in|notin)\s+\((?<values>[\w.,\s-]*)\))?)$/

/** `key=value,key2!=value,key3 in (a,b),!key4,key5`; a StatusFailure of 400 where it is not understood. */
export function parseLabelSelector(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  if (text.trim() === '') return () => true
  // Not the commas within brackets.
  const rules = text.split(/,(?![^(]*\))/).map((part): LabelRule => parseLabelRule(part.trim()))
  return (labels) => rules.every((holds) => holds(labels))
}

function parseLabelRule(text: string): LabelRule {
  const groups = rule.exec(text)?.groups
  if (groups === undefined) throw badRequest(`unable to parse requirement: found '${text}', expected: identifier`)
  const { absent, key = '', equals, value = '', set, values = '' } = groups
  if (absent !== undefined) return (labels) => labels[absent] === undefined
  if (equals === '!=') return (labels) => labels[key] !== value
  if (equals !== undefined) return (labels) => labels[key] === value
  if (set === undefined) return (labels) => labels[key] !== undefined
  const named = values.split(',').map((one) => one.trim())
  return set === 'in'
    ? (labels) => labels[key] !== undefined && named.includes(labels[key])
    : (labels) => labels[key] === undefined || !named.includes(labels[key])
}

/** `spec.nodeName=a,status.phase!=Running` with the fields that the kind has for it; a StatusFailure of 400 otherwise. */
export function parseFieldSelector(text: string, kind: Kind): Matches {
  const rules = text
    .split(',')
    .filter((part) => part !== '')
    .map((part): Matches => {
      const [, field = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? []
      if (operator === undefined) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
      checkField(field, kind)
      return (object) => (readField(object, field) === value) === (operator !== '!=')
    })
  return (object) => rules.every((holds) => holds(object))
}

function checkField(field: string, { selectableFields }: Kind): void {
  if ([...selectableFields, 'metadata.name', 'metadata.namespace'].includes(field)) return
  throw badRequest(
    selectableFields.length > 0
      ? `field label not supported: ${field}`
      : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  )
}

function readField(object: StoredObject, field: string): string {
  const value = field.split('.').reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), object)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** A selector of an object, with `matchLabels` and `matchExpressions`. An empty one matches all. */
export function matchesLabels(selector: unknown, labels: Readonly<Record<string, string>> = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = (isObject(selector) ? selector : {}) as {
    matchLabels?: Record<string, string>
    matchExpressions?: readonly JsonObject[]
  }
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((expression) => holds(expression, labels))
  )
}

function holds({ key, operator, values }: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const own = labels[String(key)]
  const isNamed = Array.isArray(values) && values.includes(own)
  switch (operator) {
    case 'In':
      return isNamed
    case 'NotIn':
      return !isNamed
    case 'Exists':
      return own !== undefined
    default:
      return own === undefined
  }
}

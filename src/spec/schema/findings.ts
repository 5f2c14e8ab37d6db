import type { z } from 'zod'
import { suggest } from '../../base/suggestion.ts'
import { type SpecCode, specCodes } from '../codes.ts'
import type { Finding } from '../source/finding.ts'
import { type Path, renderPath } from '../source/positioned-node.ts'

type Issue = z.core.$ZodIssue
type Say = (code: SpecCode, message: string) => Finding

/** What a schema has to say of `value`, in our words. */
export function checkShape(schema: z.ZodType, value: unknown): Finding[] {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return []
  return result.error.issues.flatMap((issue) => explainIssue(schema, value, issue))
}

function explainIssue(schema: z.ZodType, value: unknown, issue: Issue): Finding[] {
  // Keys of our documents are text or positions, never symbols.
  const path = issue.path as Path
  const field = path.length === 0 ? 'the document' : `\`${renderPath(path)}\``
  const seen = valueAt(value, path)
  const say: Say = (code, message) => ({ code, path, message })

  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path)
    return issue.keys.map((key) => {
      const message = explainUnknownKey(key, path, known)
      return { code: 'TL_SPEC_UNKNOWN_KEY', path: [...path, key], message, on: 'Key' }
    })
  }
  if (seen === undefined) return [say('TL_SPEC_MISSING', `${field} is missing`)]
  if (seen === null) return [say('TL_SPEC_NULL', `${field} has no value; give it one or remove the line`)]
  switch (issue.code) {
    case 'invalid_type':
      return [
        say('TL_SPEC_TYPE', `${field} must be ${typeWords[issue.expected] ?? issue.expected}, not ${describe(seen)}`),
      ]
    case 'invalid_union':
      return [say('TL_SPEC_TYPE', `${field} must be a quantity such as 500m or 64Mi, not ${describe(seen)}`)]
    case 'invalid_value':
      return [explainValue(say, path, field, seen, issue.values.map(String))]
    case 'invalid_format': {
      const isName = path.at(-1) === 'name'
      return [say(isName ? 'TL_SPEC_NAME' : 'TL_SPEC_FORMAT', `${show(seen)} does not fit ${field}: ${issue.message}`)]
    }
    case 'too_small':
    case 'too_big':
      return [say('TL_SPEC_LIMIT', explainLimit(issue, field, seen))]
    case 'custom': {
      const code = issue.params?.['code']
      return [say(isSpecCode(code) ? code : 'TL_SPEC_FORMAT', issue.message)]
    }
    default:
      return [say('TL_SPEC_FORMAT', `${field}: ${issue.message}`)]
  }
}

function explainUnknownKey(key: string, path: Path, known: readonly string[]): string {
  const owner = path.length === 0 ? 'the document' : renderPath(path)
  if (key === '<<') return 'merge keys (`<<`) are read by YAML 1.1 only; repeat the fields'
  const close = suggest(key, known)
  const meant =
    close === undefined
      ? known.length === 0
        ? 'it has none'
        : `it has ${known.join(', ')}`
      : `did you mean \`${close}\`?`
  return `\`${clip(key)}\` is not a field of ${owner}; ${meant}`
}

function explainValue(say: Say, path: Path, field: string, seen: unknown, words: readonly string[]): Finding {
  if (renderPath(path) === 'apiVersion')
    return say(
      'TL_SPEC_API_VERSION',
      `apiVersion ${show(seen)} is not known to this version of Towline; write ${words.join('')}`,
    )
  if (renderPath(path) === 'kind') return say('TL_SPEC_KIND', `kind ${show(seen)} is not a ${words.join(' or ')}`)
  const close = typeof seen === 'string' ? suggest(seen, words) : undefined
  const wayOut = close === undefined ? `write ${words.join(', ')}` : `did you mean \`${close}\`?`
  return say('TL_SPEC_VALUE', `${show(seen)} is not a value of ${field}; ${wayOut}`)
}

function explainLimit(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>, field: string, seen: unknown): string {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`
  if (typeof seen === 'string')
    return seen === '' ? `${field} is empty` : `${field} has ${seen.length} characters; it may have ${bound}`
  if (Array.isArray(seen)) return `${field} has ${seen.length} items; it may have ${bound}`
  return `${field} is ${show(seen)}; it must be ${bound}`
}

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list of three numbers',
  object: 'a map',
  record: 'a map',
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return `the text ${show(value)}`
  return typeof value === 'number' ? `the number ${show(value)}` : show(value)
}

function show(value: unknown): string {
  return `\`${clip(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))}\``
}

function clip(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, '?')
  return plain.length > 80 ? `${plain.slice(0, 77)}...` : plain
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (typeof inner !== 'object' || inner === null) return undefined
    return Object.entries(inner).find(([key]) => key === String(step))?.[1]
  }, value)
}

/** Names of the fields that `schema` has at `path`. */
function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  let inner: unknown = schema
  for (const step of [...path, undefined]) {
    while (isWrapper(inner)) inner = inner.def.innerType
    if (step === undefined) break
    if (hasShape(inner)) inner = inner.shape[String(step)]
    else if (hasElement(inner)) inner = inner.element
    else return []
  }
  return hasShape(inner) ? Object.keys(inner.shape) : []
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isWrapper = (value: unknown): value is { def: { innerType: unknown } } =>
  isObject(value) && 'def' in value && isObject(value.def) && 'innerType' in value.def
const hasShape = (value: unknown): value is { shape: Record<string, unknown> } => isObject(value) && 'shape' in value
const hasElement = (value: unknown): value is { element: unknown } => isObject(value) && 'element' in value
const isSpecCode = (code: unknown): code is SpecCode => typeof code === 'string' && code in specCodes

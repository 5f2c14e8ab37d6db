import type { KubeObject } from '../../kube/object.ts'
import { type FieldStep, findOwners } from './field-owners.ts'

export interface FieldChange {
  /** `spec.template.spec.containers[server].env[MODE].value` */
  readonly path: string
  /** JSON; null: absent. Values of `env` are not shown. */
  readonly from: unknown
  readonly to: unknown
  /** Managers of the present value other than ours: somebody else set it. */
  readonly setBy: readonly string[]
}

/** What each write changes by itself. */
const ownMeta = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'])

/** What names an item of a list, in the order in which it is tried; other lists are compared as a whole. */
const itemKeys = ['name', 'mountPath', 'port', 'type'] as const

/** Both as a server stores them, so that defaults are on both sides. Every leaf that differs, in the order of the paths. */
export function compareObjects(live: KubeObject, planned: KubeObject): readonly FieldChange[] {
  const changes: FieldChange[] = []
  walk(intentOf(live), intentOf(planned), [], changes, live)
  return changes
}

/** Without what the server writes itself. */
export function intentOf(object: KubeObject): unknown {
  const { status: _, metadata = {}, ...rest } = object as KubeObject & { status?: unknown }
  return {
    ...rest,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !ownMeta.has(key))),
  }
}

function walk(from: unknown, to: unknown, steps: readonly FieldStep[], changes: FieldChange[], live: KubeObject): void {
  if (isMap(from) && isMap(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)]))
      walk(from[key], to[key], [...steps, { field: key }], changes, live)
    return
  }
  const [old, next] = [listOf(from), listOf(to)]
  const key = old === undefined || next === undefined ? undefined : findItemKey([...old, ...next])
  if (key !== undefined) {
    const before = byKey(old as readonly Item[], key)
    const after = byKey(next as readonly Item[], key)
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const item = before.get(name) ?? after.get(name) ?? {}
      walk(before.get(name), after.get(name), [...steps, { item, name }], changes, live)
    }
    return
  }
  if (isSame(from, to)) return
  const show = isValueOfEnv(steps) ? maskValue : (value: unknown) => value ?? null
  changes.push({ path: spell(steps), from: show(from), to: show(to), setBy: findOwners(live, steps) })
}

function isValueOfEnv(steps: readonly FieldStep[]): boolean {
  const fields = steps.map((step) => ('field' in step ? step.field : ''))
  return fields.includes('env') && !fields.includes('valueFrom')
}

/** Of `env` it is said that a value changes, never which: it may be a secret. Where a reference goes is no secret. */
function maskValue(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (isMap(value)) return 'valueFrom' in value ? value['valueFrom'] : '(a value)'
  return '(a value)'
}

/** A list that is not there has no items. */
function listOf(value: unknown): readonly unknown[] | undefined {
  return value === undefined ? [] : Array.isArray(value) ? value : undefined
}

type Item = Readonly<Record<string, unknown>>

/** Undefined: the items have no names that tell them apart. */
function findItemKey(items: readonly unknown[]): string | undefined {
  if (items.length === 0 || !items.every(isMap)) return undefined
  return itemKeys.find((key) => items.every((item) => typeof item[key] === 'string' || typeof item[key] === 'number'))
}

function byKey(items: readonly Item[], key: string): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [String(item[key]), item]))
}

function isMap(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  if (isMap(a) && isMap(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    return [...keys].every((key) => isSame(a[key], b[key]))
  }
  return a === b || (a ?? null) === (b ?? null)
}

function spell(steps: readonly FieldStep[]): string {
  return steps.reduce((path, step) => {
    if ('name' in step) return `${path}[${step.name}]`
    // Keys of labels have dots of their own.
    if (/[./]/.test(step.field)) return `${path}[${step.field}]`
    return path === '' ? step.field : `${path}.${step.field}`
  }, '')
}

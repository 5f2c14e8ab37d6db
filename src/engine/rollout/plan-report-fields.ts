import { renderDuration } from '../../base/duration.ts'
import { revisionFields } from '../../spec/revision.ts'
import type { Service } from '../../spec/service.ts'

/** A field that is to be another, by its name in the spec and as it would be written there, with defaults applied. */
export interface FieldChange {
  readonly path: string
  /** Null: it was not there. Values of `env` and keys are secrets and are never shown. */
  readonly from: string | null
  readonly to: string | null
  /** Its change makes a new revision. */
  readonly replaces: boolean
}

/** `serving`: what replicas run with now; `applied`: what holds without new ones. */
export function compareFields(serving: Service, applied: Service, next: Service): FieldChange[] {
  const [old, now, wanted] = [flatten(serving), flatten(applied), flatten(next)]
  const paths = [...new Set([...old.keys(), ...now.keys(), ...wanted.keys()])].toSorted()
  return paths.flatMap((path) => {
    const replaces = revisionFields.some((field) => path === field || path.startsWith(`${field}.`))
    const [from, to] = [(replaces ? old : now).get(path) ?? null, wanted.get(path) ?? null]
    if (from === to) return []
    if (isSecret(path)) return [{ path, from: mask(from), to: mask(to), replaces }]
    return [{ path: nameInSpec(path), from: writeAsSpec(path, from), to: writeAsSpec(path, to), replaces }]
  })
}

function flatten(service: Service): Map<string, string> {
  const { env, ...rest } = service
  const fields = new Map<string, string>(env.map(({ name, value }) => [`env.${name}`, value]))
  const visit = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fields.set(path, JSON.stringify(value))
    else
      for (const [key, inner] of Object.entries(value))
        if (inner !== undefined) visit(path === '' ? key : `${path}.${key}`, inner)
  }
  visit('', rest)
  return fields
}

function isSecret(path: string): boolean {
  return path.startsWith('env.') || path.startsWith('apiKeys')
}

function mask(value: string | null): string | null {
  return value === null ? null : '(a value)'
}

/** Fields that are resolved to something else than what is written. */
const written: readonly (readonly [end: RegExp, name: string, write: (value: number) => string])[] = [
  [/cpuMillis$/, 'cpu', (value) => `${value}m`],
  [/Bytes$/, '', String],
  [/Ms$/, '', renderDuration],
  [/ratio$/, 'maxPercentOfStable', (value) => String(Math.round(value * 100))],
  [/floor$/, 'floorPerThousand', (value) => String(Math.round(value * 1000))],
  [/^model\.path$/, 'model.uri', String],
]

function nameInSpec(path: string): string {
  return written.reduce((name, [end, word]) => name.replace(end, word), path)
}

function writeAsSpec(path: string, json: string | null): string | null {
  if (json === null) return null
  const value: unknown = JSON.parse(json)
  if (path === 'rollout.steps') return writeSteps(value as Service['rollout']['steps']) // flattened from there
  if (typeof value !== 'number') return json
  return written.find(([end]) => end.test(path))?.[2](value) ?? json
}

function writeSteps(steps: Service['rollout']['steps']): string {
  const list = steps.map(
    ({ weight, bakeMs, manual }) =>
      `{ weight: ${weight}, ${manual ? 'pause: Manual' : `bake: ${renderDuration(bakeMs)}`} }`,
  )
  return `[${list.join(', ')}]`
}

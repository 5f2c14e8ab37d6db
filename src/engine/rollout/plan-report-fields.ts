import { revisionFields } from '../../spec/revision.ts'
import type { Service } from '../../spec/service.ts'

/** A field that is to be another, as resolved: with defaults applied and units in its name. */
export interface FieldChange {
  readonly path: string
  /** As JSON; null: it was not there. Values of `env` and keys are secrets and are never shown. */
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
    return [isSecret(path) ? { path, from: mask(from), to: mask(to), replaces } : { path, from, to, replaces }]
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

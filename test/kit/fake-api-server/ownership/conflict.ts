import { type FieldSet, listPaths } from './field-set.ts'
import type { Manager } from './managers.ts'

/** Fields that an apply would change and that belong to another manager. */
export interface Conflict {
  readonly manager: Manager
  readonly fields: FieldSet
}

export interface ConflictReport {
  readonly message: string
  readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[]
}

/** In the words of the real server. */
export function reportConflicts(conflicts: readonly Conflict[]): ConflictReport {
  const sorted = conflicts.toSorted((a, b) => (describe(a.manager) < describe(b.manager) ? -1 : 1))
  const causes = sorted.flatMap(({ manager, fields }) =>
    listPaths(fields).map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describe(manager)}`,
      field,
    })),
  )
  const [first] = causes
  if (causes.length === 1 && first !== undefined) {
    return { message: `Apply failed with 1 conflict: ${first.message}: ${first.field}`, causes }
  }
  const groups = sorted.map(({ manager, fields }) =>
    [`conflicts with ${describe(manager)}:`, ...listPaths(fields).map((path) => `- ${path}`)].join('\n'),
  )
  return { message: `Apply failed with ${causes.length} conflicts: ${groups.join('\n')}`, causes }
}

function describe({ name, operation, apiVersion, subresource }: Manager): string {
  const part = subresource === undefined ? '' : ` with subresource "${subresource}"`
  return `"${name}"${part}${operation === 'Apply' ? '' : ` using ${apiVersion}`}`
}

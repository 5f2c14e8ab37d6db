import type { Diagnostic, SourceRange } from '../../base/diagnostic.ts'
import type { MapEntry, PositionedNode } from './positioned-node.ts'

const maxDepth = 64
const maxNodes = 50_000

/**
 * A plain value (JSON, the export of a TypeScript file) as positioned nodes: the whole of it lies at the start of its
 * file, as the path in each message says the rest. What JSON cannot hold is a finding.
 */
export function parsePlain(
  value: unknown,
  file: string,
): { readonly root?: PositionedNode; readonly diagnostics: readonly Diagnostic[] } {
  const at: SourceRange = { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
  let trouble: Diagnostic | undefined
  let nodes = 0
  const refuse = (code: 'TL_SPEC_TOO_DEEP' | 'TL_SPEC_TOO_LARGE' | 'TL_SPEC_TYPE', message: string): PositionedNode => {
    trouble ??= { code, severity: 'error', message, at }
    return { kind: 'Scalar', value: null, at }
  }
  const convert = (item: unknown, depth: number): PositionedNode => {
    if (trouble !== undefined) return { kind: 'Scalar', value: null, at }
    if (depth > maxDepth) return refuse('TL_SPEC_TOO_DEEP', `values are nested more than ${maxDepth} levels deep`)
    if (++nodes > maxNodes) return refuse('TL_SPEC_TOO_LARGE', `the document holds more than ${maxNodes} values`)
    if (item === null || typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean')
      return { kind: 'Scalar', value: item, at }
    if (Array.isArray(item)) return { kind: 'List', items: item.map((each) => convert(each, depth + 1)), at }
    if (typeof item === 'object') {
      const entries = new Map<string, MapEntry>()
      for (const [key, each] of Object.entries(item))
        if (each !== undefined) entries.set(key, { keyAt: at, node: convert(each, depth + 1) })
      return { kind: 'Map', entries, at }
    }
    return refuse('TL_SPEC_TYPE', `a ${typeof item} cannot be part of a spec`)
  }
  const root = convert(value, 0)
  return trouble === undefined ? { root, diagnostics: [] } : { diagnostics: [trouble] }
}

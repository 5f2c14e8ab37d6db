import type { Diagnostic, Severity } from '../../base/diagnostic.ts'
import type { SpecCode } from '../codes.ts'
import { keyPlaceOf, type Path, placeOf, type PositionedNode, renderPath } from './positioned-node.ts'

/** What a schema or a rule finds at a path of a document, before it has a place in a file. */
export interface Finding {
  readonly path: Path
  readonly code: SpecCode
  readonly message: string
  /** Absent: an error. */
  readonly severity?: Severity
  /** Where it is shown: at the value (absent) or at its key. */
  readonly on?: 'Key'
}

/** `Exact`: nodes lie where they are written. `Unknown`: the document is plain data, so messages must name the field. */
export type Places = 'Exact' | 'Unknown'

export function placeFinding(root: PositionedNode, finding: Finding, places: Places = 'Exact'): Diagnostic {
  const { path, code, message, severity = 'error', on } = finding
  const at = on === 'Key' ? keyPlaceOf(root, path) : placeOf(root, path)
  const field = renderPath(path)
  const isNamed = places === 'Exact' || field === '' || message.includes(field)
  return { code, severity, message: isNamed ? message : `${field}: ${message}`, at }
}

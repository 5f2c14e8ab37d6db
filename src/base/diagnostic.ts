/** Findings about what a person wrote: values, returned in lists, never thrown. */

/** Lines and columns start at 1; columns count UTF-16 units as editors do. The end is exclusive. */
export interface SourceRange {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}

export type Severity = 'error' | 'warning' | 'info'

export interface Diagnostic {
  readonly code: `TL_${string}` | `TW${number}`
  readonly severity: Severity
  /** What is wrong, with the value seen. */
  readonly message: string
  readonly at: SourceRange
  /** What to do, when the message does not already say it. */
  readonly hint?: string
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
}

/** In the order a person reads a file: by file, line, column, then code. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) =>
      compareText(a.at.file, b.at.file) ||
      a.at.line - b.at.line ||
      a.at.column - b.at.column ||
      compareText(a.code, b.code),
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** `file:line:column severity code  message`, and the hint on a line of its own. */
export function renderDiagnostic({ at, severity, code, message, hint }: Diagnostic): string {
  const place = `${at.file}:${at.line}:${at.column} ${severity} ${code}  ${message}`
  return hint === undefined ? place : `${place}\n  hint: ${hint}`
}

import { type Diagnostic, renderDiagnostic } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import type { Terminal } from './terminal.ts'

/** `error TL_CODE: what happened`, then what to do. A bug shows its stack: there is nothing better to say of it. */
export function renderFailure(terminal: Terminal, error: unknown): string {
  const label = (code: string): string => terminal.styleErr('red', `error${code}`)
  if (error instanceof TowlineError) {
    const hint = error.hint === undefined ? '' : `\n  hint: ${error.hint}`
    return `${label(` ${error.code}`)}: ${error.message}${hint}`
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${label('')}: this is a bug in towline, please report it with these lines\n${text}`
}

const colours = { error: 'red', warning: 'yellow', info: 'cyan' } as const

export function printDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const { severity } = diagnostic
    terminal.err(
      renderDiagnostic(diagnostic).replace(` ${severity} `, ` ${terminal.styleErr(colours[severity], severity)} `),
    )
  }
}

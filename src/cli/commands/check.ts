import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import { loadSpec } from '../../spec/load.ts'
import type { CliContext } from '../context.ts'
import { printDiagnostics } from '../term/failure.ts'

export interface CheckFlags {
  readonly env?: string
  readonly json: boolean
}

export async function check(this: CliContext, flags: CheckFlags, file: string): Promise<void> {
  const { terminal } = this
  const { diagnostics } = await loadSpec(file, flags.env === undefined ? {} : { overlay: flags.env })
  if (flags.json) terminal.out(JSON.stringify({ file, findings: diagnostics }, undefined, 2))
  else printDiagnostics(terminal, diagnostics)
  const count = (severity: string): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length
  const summary = `${count('error')} errors, ${count('warning')} warnings in ${file}`
  if (hasErrors(diagnostics)) throw new TowlineError('TL_SPEC_INVALID', summary)
  if (!flags.json) terminal.out(diagnostics.length === 0 ? `${file}: no mistakes found` : summary)
}

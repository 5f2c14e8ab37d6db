import { AliasNotFoundError, ArgumentScannerError, formatMessageForArgumentScannerError } from '@stricli/core'
import { TowlineError } from '../../base/errors.ts'

/** TL_USAGE of what was written on the command line and fits no flag or argument. What is no fault of the line is returned as it is. */
export function explainUsage(error: unknown): unknown {
  if (!(error instanceof ArgumentScannerError)) return error
  return new TowlineError('TL_USAGE', describe(error), {
    cause: error,
    hint: 'what a command takes is in its `--help`',
  })
}

function describe(error: ArgumentScannerError): string {
  // A namespace where none is asked for: commands that stay on this machine have no such flag.
  if (error instanceof AliasNotFoundError) return `this command has no flag \`-${error.input}\``
  return formatMessageForArgumentScannerError(error, {})
}

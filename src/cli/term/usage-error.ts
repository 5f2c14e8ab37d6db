import { ArgumentScannerError, formatMessageForArgumentScannerError } from '@stricli/core'
import { TowlineError } from '../../base/errors.ts'

/** TL_USAGE of what was written on the command line and fits no flag or argument. What is no fault of the line is returned as it is. */
export function explainUsage(error: unknown): unknown {
  if (!(error instanceof ArgumentScannerError)) return error
  const detail = formatMessageForArgumentScannerError(error, {
    // A namespace where none is asked for: commands that stay on this machine have no such flag.
    AliasNotFoundError: ({ input }) => `this command has no flag \`-${input}\``,
  })
  return new TowlineError('TL_USAGE', detail, { cause: error, hint: 'what a command takes is in its `--help`' })
}

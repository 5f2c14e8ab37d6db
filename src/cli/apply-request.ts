import { resolve } from 'node:path'
import { hasErrors } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import type { ApplyRequest } from '../control/api.ts'
import { loadSpec } from '../spec/load.ts'
import type { Service } from '../spec/service.ts'
import { readApiKeys, readEnvFile } from './secret-files.ts'
import { printDiagnostics } from './term/failure.ts'
import type { Terminal } from './term/terminal.ts'

/** A service as a person has it in files. */
export interface WrittenService {
  readonly file: string
  readonly overlay?: string | undefined
  readonly envFile?: string | undefined
  readonly apiKeyFile?: string | undefined
}

/** Prints all findings; TL_SPEC_INVALID when one of them is an error. */
export async function readApplyRequest(
  terminal: Terminal,
  { file, overlay, envFile, apiKeyFile }: WrittenService,
): Promise<{ readonly service: Service; readonly request: ApplyRequest }> {
  const env = envFile === undefined ? undefined : readEnvFile(envFile)
  const apiKeys = apiKeyFile === undefined ? undefined : readApiKeys(apiKeyFile)
  const secrets = { ...(env === undefined ? {} : { env }), ...(apiKeys === undefined ? {} : { apiKeys }) }
  const { document, service, diagnostics } = await loadSpec(file, {
    ...secrets,
    ...(overlay === undefined ? {} : { overlay }),
  })
  printDiagnostics(terminal, diagnostics)
  if (service === undefined || hasErrors(diagnostics)) {
    const count = diagnostics.filter(({ severity }) => severity === 'error').length
    throw new TowlineError('TL_SPEC_INVALID', `${count} ${count === 1 ? 'error' : 'errors'} in ${file}`)
  }
  const environment = overlay === undefined ? {} : { environment: overlay }
  return { service, request: { document, file: resolve(file), ...environment, ...secrets } }
}

import { oneLine } from '../../../base/display.ts'
import { TowlineError } from '../../../base/errors.ts'
import type { Answer } from './exchange.ts'

/** One error of the list in distribution-spec 1.1, `{"errors":[{"code","message"}]}`. */
export interface RegistryProblem {
  readonly code: string
  readonly message: string
}

/** The first error of an answer's body; undefined where the body is something else. */
export function readProblem(body: Uint8Array): RegistryProblem | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    const first = (value as { errors?: { code?: unknown; message?: unknown }[] } | null)?.errors?.[0]
    if (first === undefined || first === null) return undefined
    const text = (value: unknown): string => (typeof value === 'string' ? oneLine(value) : '')
    return { code: text(first.code), message: text(first.message) }
  } catch {
    return undefined
  }
}

/** The failure that an answer means: TL_REGISTRY_REFUSED for 401 and 403, TL_REGISTRY_FAILED for the rest. */
export function failureOf(answer: Answer, host: string, doing: string): TowlineError {
  const { status } = answer
  const problem = readProblem(answer.body)
  const said =
    problem === undefined ? '' : ` ${[problem.code, problem.message].filter((part) => part !== '').join(': ')}`
  const detail = `${host} answered ${status}${said} to ${doing}`
  if (status === 401 || status === 403)
    return new TowlineError('TL_REGISTRY_REFUSED', detail, {
      hint: `log in with \`docker login ${host}\`, as somebody who may do this; some registries also answer so when the repository does not exist`,
    })
  const hint =
    status === 429 ? `wait and try again; with \`docker login ${host}\` the limit is often higher` : undefined
  return new TowlineError('TL_REGISTRY_FAILED', detail, hint === undefined ? {} : { hint })
}

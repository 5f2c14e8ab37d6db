import { formatDigest } from '../base/display.ts'
import { TowlineError } from '../base/errors.ts'
import type { ServiceStatus } from '../control/api.ts'

export type TestedService = Pick<
  ServiceStatus,
  'name' | 'phase' | 'summary' | 'environment' | 'revision' | 'rollout'
> & {
  readonly model: Pick<ServiceStatus['model'], 'digest'>
}

export interface Asked {
  readonly file: string
  /** `--env`; undefined: none. */
  readonly environment: string | undefined
  /** Of the model that the file names. */
  readonly digest: string
}

const testable: readonly ServiceStatus['phase'][] = ['Ready', 'Idle', 'Degraded']

/** What runs must be what the file says and nothing else, or the attestation would speak of a model that nobody asked. */
export function explainRefusal(service: TestedService, { file, environment, digest }: Asked): TowlineError | undefined {
  const { name, phase, summary, rollout, model } = service
  const up = `towline up ${file}${environment === undefined ? '' : ` --env ${environment}`}`
  if (service.environment !== (environment ?? null)) {
    const say = (overlay: string | null | undefined): string => (overlay ? `--env ${overlay}` : 'no --env')
    const detail = `${name} was brought up with ${say(service.environment)}, not with ${say(environment)}; nothing was sent`
    return new TowlineError('TL_TEST_FAILED', detail, { hint: `\`${up}\` brings it up` })
  }
  if (rollout !== null || !testable.includes(phase)) {
    const detail =
      rollout === null
        ? `${name} is ${phase}: ${summary}`
        : `${name} goes from revision ${rollout.from} to ${rollout.to}, so either could answer`
    return new TowlineError('TL_NOT_READY', detail, { hint: `\`towline status ${name} --watch\` shows when it is` })
  }
  if (model.digest === digest) return undefined
  const detail = `${name} serves ${shorten(model.digest)}, and ${file} names ${shorten(digest)}; nothing was sent`
  return new TowlineError('TL_TEST_FAILED', detail, { hint: `\`${up}\` brings up what the file names` })
}

/** True when an answer may have come from another model, or from under another overlay, than the first look showed. */
export function hasChanged(before: TestedService, after: TestedService): boolean {
  return (
    after.rollout !== null ||
    after.revision !== before.revision ||
    after.model.digest !== before.model.digest ||
    after.environment !== before.environment
  )
}

/** `sha256:7793a8…` → `sha256 7793a8…`. */
export function shorten(digest: string): string {
  return `sha256 ${formatDigest(digest)}`
}

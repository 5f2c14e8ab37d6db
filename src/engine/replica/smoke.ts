import { describeResult, runChecks } from '../../bench/checks.ts'
import { inferUrl } from '../../bench/inference-call.ts'
import { readSmoke } from '../../bench/smoke.ts'
import { TowlineError } from '../../base/errors.ts'
import type { Service } from '../../spec/service.ts'
import type { FailureStatus } from '../service-status.ts'

/** Between the first good probe of a process and its first request: it has to answer the smoke requests of its spec. */
export class SmokeGate {
  #state: 'Due' | 'Running' | 'Passed'
  readonly #over = new AbortController()

  constructor(isNeeded: boolean) {
    this.#state = isNeeded ? 'Due' : 'Passed'
  }

  get due(): boolean {
    return this.#state === 'Due'
  }

  get passed(): boolean {
    return this.#state === 'Passed'
  }

  /** Nobody waits for the outcome any more. */
  stop(): void {
    this.#over.abort()
  }

  /** Once. Null: passed; undefined: it was stopped. */
  async ask(service: Service, base: string, nowMs: () => number): Promise<FailureStatus | null | undefined> {
    const { signal } = this.#over
    this.#state = 'Running'
    const failure = await smokeReplica(service, { base, signal, nowMs })
    if (signal.aborted) return undefined
    if (failure === null) this.#state = 'Passed'
    return failure
  }
}

/**
 * Sends a replica the smoke requests of its spec, past the gateway: null when all were answered as they should. Files that
 * cannot be read say nothing good about the replica either.
 */
async function smokeReplica(
  { rollout, model, serving }: Service,
  { base, signal, nowMs }: { readonly base: string; readonly signal: AbortSignal; readonly nowMs: () => number },
): Promise<FailureStatus | null> {
  const fail = (message: string): FailureStatus => ({
    reason: 'SmokeFailed',
    message,
    hint: 'the same request to the file of the new model shows it: `towline serve` and `towline infer`',
    atMs: nowMs(),
  })
  try {
    const checks = await readSmoke(rollout.smoke)
    const target = { url: inferUrl(base, model.name), timeoutMs: serving.timeoutMs, signal }
    const failed = (await runChecks(checks, target)).filter(({ passed }) => !passed)
    return failed.length === 0 ? null : fail(failed.map(describeResult).join('; '))
  } catch (error) {
    // Nobody waits for it any more.
    if (signal.aborted) return null
    if (!(error instanceof TowlineError)) throw error
    return fail(error.message)
  }
}

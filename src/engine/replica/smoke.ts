import { describeResult, runChecks } from '../../bench/checks.ts'
import { inferUrl } from '../../bench/inference-call.ts'
import { readSmoke } from '../../bench/smoke.ts'
import { TowlineError } from '../../base/errors.ts'
import type { Service } from '../../spec/service.ts'
import type { FailureStatus } from '../service-status.ts'

/**
 * Sends a replica the smoke requests of its spec, past the gateway: null when all were answered as they should. Files that
 * cannot be read say nothing good about the replica either.
 */
export async function smokeReplica(
  { rollout, model, serving }: Service,
  base: string,
  nowMs: () => number,
): Promise<FailureStatus | null> {
  const fail = (message: string): FailureStatus => ({
    reason: 'SmokeFailed',
    message,
    hint: 'the same request to the file of the new model shows it: `towline serve` and `towline infer`',
    atMs: nowMs(),
  })
  try {
    const checks = await readSmoke(rollout.smoke)
    const target = { url: inferUrl(base, model.name), timeoutMs: serving.timeoutMs }
    const failed = (await runChecks(checks, target)).filter(({ passed }) => !passed)
    return failed.length === 0 ? null : fail(failed.map(describeResult).join('; '))
  } catch (error) {
    if (!(error instanceof TowlineError)) throw error
    return fail(error.message)
  }
}

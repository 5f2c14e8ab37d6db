import { basename } from 'node:path'
import { hasErrors, renderDiagnostic } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import { isTestPlanFile } from '../spec/rules/smoke-rules.ts'
import { loadTestPlan } from '../spec/test-plan/load-plan.ts'
import { type Check, readChecks } from './checks.ts'
import { readPayload } from './payload.ts'

/**
 * Reads what `rollout.smoke` names, so that later nothing but the replica can fail: a photo or a request must be answered
 * with 200, the inferences of a test file as they expect. `runChecks` sends them.
 */
export async function readSmoke(files: readonly string[]): Promise<readonly Check[]> {
  const checks: Check[] = []
  for (const file of files) {
    if (isTestPlanFile(file)) checks.push(...(await readPlan(file)))
    else checks.push({ name: basename(file), payload: readPayload(file), expect: { kind: 'Status', status: 200 } })
  }
  return checks
}

async function readPlan(file: string): Promise<readonly Check[]> {
  const { plan, diagnostics } = await loadTestPlan(file)
  if (plan === undefined || hasErrors(diagnostics))
    throw new TowlineError('TL_SPEC_INVALID', diagnostics.map(renderDiagnostic).join('\n'))
  return readChecks(plan)
}

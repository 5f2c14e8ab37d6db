import { dirname, resolve } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { hasErrors } from '../../base/diagnostic.ts'
import { TowlineError } from '../../base/errors.ts'
import { readVersion } from '../../base/process/version.ts'
import { type CheckResult, readChecks, runChecks } from '../../bench/checks.ts'
import { inferUrl, type InferenceTarget } from '../../bench/inference-call.ts'
import { nameLoad, runLoadCheck } from '../../bench/load-check.ts'
import { connectEngine } from '../../control/client.ts'
import { findService } from '../../control/find-service.ts'
import { testPlanFile } from '../../spec/load.ts'
import { printModel } from '../../spec/model/model-print.ts'
import { loadTestPlan } from '../../spec/test-plan/load-plan.ts'
import type { TestPlan } from '../../spec/test-plan/plan.ts'
import type { Attestation } from '../../store/attestation.ts'
import { writeAttestation } from '../../store/attestation-files.ts'
import { readApplyRequest } from '../apply-request.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { keyHeader } from '../inference.ts'
import { findProjectDir } from '../project.ts'
import { printDiagnostics } from '../term/failure.ts'
import { renderRow } from '../term/layout.ts'
import { openProgress } from '../term/progress.ts'
import type { Terminal } from '../term/terminal.ts'
import { explainRefusal, hasChanged, shorten } from '../tested-service.ts'
import { renderCheck } from '../view/check-rows.ts'

export interface TestFlags {
  readonly env?: string
  readonly plan?: string
  readonly url?: string
  readonly envFile?: string
  readonly apiKeys?: string
  readonly timeout: number
  readonly json: boolean
  readonly project?: string
}

export async function test(this: CliContext, flags: TestFlags, file: string): Promise<void> {
  const { terminal } = this
  const written = { file, overlay: flags.env, envFile: flags.envFile, apiKeyFile: flags.apiKeys }
  const { service } = await readApplyRequest(terminal, written)
  const plan = await readPlan(terminal, flags.plan ?? testPlanFile(file))
  const { digest } = await printModel(service.model.path)
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  const before = findService(await engine.services(), service.name)
  const refusal = explainRefusal(before, { file, environment: flags.env, digest })
  if (refusal !== undefined) throw refusal

  const url = readAddress(flags.url ?? before.url)
  if (!flags.json) terminal.out(renderRow('testing', `${service.name} ${shorten(digest)} at ${url}`))
  const target = { url: inferUrl(url, before.model.name), headers: keyHeader(), timeoutMs: flags.timeout }
  const checks = await runPlan(terminal, plan, { target, quiet: flags.json })
  if (hasChanged(before, findService(await engine.services(), service.name)))
    throw new TowlineError('TL_TEST_FAILED', `${service.name} was changed meanwhile, so nothing is proven`, {
      hint: 'run `towline test` again when the change is done',
    })

  const passed = checks.every((check) => check.passed)
  const outcome = { service: service.name, model: digest, image: null, url, atMs: Date.now(), passed, checks }
  const attestation: Attestation | undefined =
    flags.env === undefined || url !== before.url
      ? undefined
      : { version: 1, environment: flags.env, towline: readVersion(), ...outcome }
  const proof = attestation === undefined ? undefined : writeAttestation(dirname(resolve(file)), attestation)
  if (flags.json) terminal.out(JSON.stringify({ ...(attestation ?? outcome), file: proof ?? null }, undefined, 2))
  else terminal.out(renderOutcome(flags.env, passed, digest))
  if (passed) return
  const failed = checks.filter((check) => !check.passed).length
  throw new TowlineError('TL_TEST_FAILED', `${failed} of ${checks.length} failed`, {
    hint: '`towline infer` shows a whole answer, `towline bench` a load',
  })
}

async function readPlan(terminal: Terminal, file: string): Promise<TestPlan> {
  const { plan, diagnostics } = await loadTestPlan(file)
  printDiagnostics(terminal, diagnostics)
  if (plan !== undefined && !hasErrors(diagnostics)) return plan
  const count = diagnostics.filter(({ severity }) => severity === 'error').length
  throw new TowlineError('TL_SPEC_INVALID', `${count} ${count === 1 ? 'error' : 'errors'} in ${file}`)
}

/** Each check has a row as soon as it is done. Stopped before the end, it proves nothing. */
async function runPlan(
  terminal: Terminal,
  plan: TestPlan,
  { target, quiet }: { target: InferenceTarget; quiet: boolean },
): Promise<readonly CheckResult[]> {
  const { load } = plan
  const checks = readChecks(plan)
  const names = [...checks.map(({ name }) => name), ...(load === undefined ? [] : [nameLoad(load)])]
  const nameWidth = Math.max(...names.map(({ length }) => length))
  const interrupt = openInterrupt(terminal, 'stopping')
  const progress = openProgress(terminal, 'testing', `${names.length} checks`)
  const show = (result: CheckResult): void => {
    progress.clear()
    if (!quiet) terminal.out(renderCheck(result, { nameWidth, style: terminal.style }))
  }
  const stoppable = { ...target, signal: interrupt.signal }
  try {
    const results = [...(await runChecks(checks, stoppable, show))]
    if (load === undefined) return results
    progress.say(nameLoad(load))
    const result = await runLoadCheck(load, stoppable, {
      clock: systemClock,
      random: Math.random,
      onProgress: ({ answered, failed }) => {
        if (terminal.live) progress.say(`${nameLoad(load)}: ${answered} answered, ${failed} failed`)
      },
    })
    show(result)
    return [...results, result]
  } catch (cause) {
    if (!interrupt.signal.aborted) throw cause
    throw new TowlineError('TL_CANCELLED', 'the checks did not come to their end, so nothing is proven', { cause })
  } finally {
    progress.end()
    interrupt.close()
  }
}

function renderOutcome(environment: string | undefined, passed: boolean, digest: string): string {
  if (environment === undefined)
    return renderRow('attested', 'nothing: `--env NAME` says which environment speaks for this model')
  return renderRow('attested', `${environment} ${passed ? 'passed' : 'failed'} ${shorten(digest)}`)
}

function readAddress(text: string): string {
  const url = URL.parse(text)
  // A password would be kept with the result.
  if (url?.protocol === 'http:' && url.username === '' && url.password === '') return text.replace(/\/+$/, '')
  throw new TowlineError(
    'TL_USAGE',
    `\`${text}\` is no address of a service without user and password; write for example http://127.0.0.1:8080`,
  )
}

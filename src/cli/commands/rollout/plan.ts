import { TowlineError } from '../../../base/errors.ts'
import type { ApplyRequest, PlanStatus } from '../../../control/api.ts'
import { connectEngine } from '../../../control/client.ts'
import { describePower } from '../../../decide/judge/power.ts'
import { askGate } from '../../../engine/admission.ts'
import { printModel } from '../../../spec/model/model-print.ts'
import { reportPlan } from '../../../engine/rollout/plan-report.ts'
import type { Service } from '../../../spec/service.ts'
import { readApplyRequest } from '../../apply-request.ts'
import type { CliContext } from '../../context.ts'
import { findProjectDir } from '../../project.ts'
import { renderPlan } from '../../view/plan-rows.ts'

export interface PlanFlags {
  readonly env?: string
  readonly envFile?: string
  readonly apiKeys?: string
  readonly json: boolean
  readonly project?: string
}

export async function plan(this: CliContext, flags: PlanFlags, file: string): Promise<void> {
  const { terminal } = this
  const written = { file, overlay: flags.env, envFile: flags.envFile, apiKeyFile: flags.apiKeys }
  const { service, request } = await readApplyRequest(terminal, written)
  const told = await ask(findProjectDir(this.cwd, flags.project), service, request)
  const powers = (told.rollout?.evidence?.metrics ?? []).map(({ metric, isNew, question }) => ({
    metric,
    isNew,
    stableShare: question.stableShare,
    power: describePower(question),
  }))
  terminal.out(
    flags.json ? JSON.stringify({ ...told, powers }, undefined, 2) : renderPlan(told, powers, Date.now()).join('\n'),
  )
}

/** Without an engine nothing runs here, so that all of it is new. */
async function ask(projectDir: string, service: Service, request: ApplyRequest): Promise<PlanStatus> {
  try {
    return await (await connectEngine(projectDir)).plan(service.name, request)
  } catch (error) {
    if (!(error instanceof TowlineError) || error.code !== 'TL_ENGINE_MISSING') throw error
    const { path } = service.model
    const model = { digest: (await printModel(path)).digest, path }
    const application = { service, file: request.file, environment: request.environment ?? null, hash: '', model }
    const nowMs = Date.now()
    const gate = askGate({ ...application, modelDigest: model.digest, nowMs }, undefined, '')
    return reportPlan({ application, record: undefined, traffic: undefined, nowMs, gate })
  }
}

import { TowlineError } from '../../../base/errors.ts'
import type { ApplyRequest, PlanStatus } from '../../../control/api.ts'
import { connectEngine } from '../../../control/client.ts'
import { describePower } from '../../../decide/judge/power.ts'
import { askGate } from '../../../engine/admission.ts'
import { printModel } from '../../../spec/model/model-print.ts'
import { reportPlan } from '../../../engine/rollout/plan-report.ts'
import type { Service } from '../../../spec/service.ts'
import { readApplyRequest } from '../../apply-request.ts'
import { explainRefusals } from '../../cluster/deploy-failure.ts'
import { type DeployWishes, useDeploy } from '../../cluster/use-deploy.ts'
import type { CliContext } from '../../context.ts'
import { findProjectDir } from '../../project.ts'
import { renderDeployPlan } from '../../view/deploy-plan.ts'
import { renderPlan } from '../../view/plan-rows.ts'

export interface PlanFlags extends DeployWishes {
  readonly envFile?: string
  readonly apiKeys?: string
  readonly json: boolean
  readonly project?: string
}

/** Of a cluster where one is named, else of the engine here. */
export async function plan(this: CliContext, flags: PlanFlags, file: string): Promise<void> {
  const { terminal } = this
  if (flags.context !== undefined || flags.namespace !== undefined) return await planOnCluster(this, flags, file)
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

async function planOnCluster(context: CliContext, flags: PlanFlags, file: string): Promise<void> {
  for (const flag of ['envFile', 'apiKeys', 'project'] as const)
    if (flags[flag] !== undefined)
      throw new TowlineError(
        'TL_USAGE',
        `--${spellFlag(flag)} is about services on this machine, and a cluster is named`,
      )
  await useDeploy(context, flags, file, ({ prepared: { plan } }) => {
    context.terminal.out(flags.json ? JSON.stringify(plan, undefined, 2) : renderDeployPlan(plan).join('\n'))
    const refused = explainRefusals(plan)
    if (refused !== undefined) throw refused
    return Promise.resolve()
  })
}

function spellFlag(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
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

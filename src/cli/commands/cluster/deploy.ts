import { systemClock } from '../../../base/clock.ts'
import { formatMs } from '../../../base/display.ts'
import { type DeployEnd, deployService } from '../../../cluster/deploy/deploy-service.ts'
import type { DeployPlan } from '../../../cluster/plan/deploy-plan.ts'
import { explainEnd, explainRefusals } from '../../cluster/deploy-failure.ts'
import { type Deploy, type DeployWishes, useDeploy } from '../../cluster/use-deploy.ts'
import { type CliContext, openInterrupt } from '../../context.ts'
import { renderRow } from '../../term/layout.ts'
import { openProgress } from '../../term/progress.ts'
import type { Terminal } from '../../term/terminal.ts'
import { renderDeployPlan } from '../../view/deploy-plan.ts'

export interface DeployFlags extends DeployWishes {
  readonly dryRun?: 'server'
  readonly wait: boolean
  readonly timeout?: number
  readonly json: boolean
}

/** Shows what changes, changes it, and stays until the new revision serves or the one before it is back. */
export async function deploy(this: CliContext, flags: DeployFlags, file: string): Promise<void> {
  const { terminal } = this
  const { dryRun, json } = flags
  const interrupt = openInterrupt(terminal, 'leaving')
  const { signal } = interrupt
  let written = false
  try {
    await useDeploy(this, { ...flags, signal }, file, async (deploy) => {
      const { plan } = deploy.prepared
      if (!json) terminal.out(renderDeployPlan(plan).join('\n'))
      const refused = explainRefusals(plan)
      if (json && (refused !== undefined || dryRun !== undefined))
        terminal.out(JSON.stringify({ plan, end: null }, undefined, 2))
      if (refused !== undefined) throw refused
      if (dryRun !== undefined) return
      written = true
      const end = await carryThrough(terminal, flags, deploy, signal)
      if (json) terminal.out(JSON.stringify({ plan, end }, undefined, 2))
      else terminal.out(renderEnd(plan, end))
      if (end.kind === 'Failed' && end.unmarked !== undefined)
        terminal.err(renderRow('note', `it could not be marked as given up: ${end.unmarked}`))
      const failure = explainEnd(plan, end)
      if (failure !== undefined) throw failure
    })
  } catch (error) {
    if (!signal.aborted || (error as Error).name !== 'AbortError') throw error
    const what = written ? 'what was written is carried out by the cluster' : 'nothing was written'
    terminal.err(renderRow('interrupted', what))
    this.process.exitCode = 130
  } finally {
    interrupt.close()
  }
}

async function carryThrough(
  terminal: Terminal,
  { wait, timeout: timeoutMs }: DeployFlags,
  { target, prepared }: Deploy,
  signal: AbortSignal,
): Promise<DeployEnd> {
  const progress = openProgress(terminal, 'deploy', 'writing')
  try {
    return await deployService(
      {
        ...target,
        clock: systemClock,
        signal,
        wait,
        timeoutMs,
        onProgress: (stage, { words }) => progress.say(stage === 'Wait' ? words : `going back: ${words}`),
      },
      prepared,
    )
  } finally {
    progress.end()
  }
}

function renderEnd({ name, namespace, revision: { to }, context }: DeployPlan, end: DeployEnd): string {
  const flags = `--context ${context} -n ${namespace}`
  switch (end.kind) {
    case 'Ready': {
      if (end.serving === 0)
        return renderRow('asleep', `revision ${to} with 0 replicas: nobody answers until it is scaled`)
      const serving = end.serving === 1 ? '1 replica serves' : `${end.serving} replicas serve`
      return renderRow(
        'ready',
        `${serving} revision ${to} after ${formatMs(end.tookMs)}: http://${name}.${namespace}.svc`,
      )
    }
    case 'Written':
      return renderRow('written', `revision ${to}; \`towline status ${name} ${flags} --watch\` follows it`)
    case 'Paused':
      return renderRow('paused', `revision ${to} waits: \`paused\` is true in the spec`)
    case 'Late':
      return renderRow('late', `revision ${to} after ${formatMs(end.tookMs)}`)
    case 'Failed':
      return renderRow('failed', `revision ${to}; ${describeBack(end)}`)
  }
}

function describeBack({ back, serving }: DeployEnd & { readonly kind: 'Failed' }): string {
  if (back.kind === 'Back')
    return back.isReady
      ? `the one before it, ${back.to}, is back: ${serving === 1 ? '1 replica serves' : `${serving} replicas serve`}`
      : 'the one before it was called back and is not ready yet'
  return back.reason === 'NothingBefore'
    ? 'there is none before it to go back to'
    : 'it is left as it is, for `rollout.onFailure` is Pause'
}

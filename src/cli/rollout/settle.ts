import { TowlineError } from '../../base/errors.ts'
import type { ServiceStatus } from '../../control/api.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import { openInterrupt } from '../context.ts'
import { renderRow } from '../term/layout.ts'
import { openProgress } from '../term/progress.ts'
import type { Terminal } from '../term/terminal.ts'

export interface SettleOptions {
  readonly name: string
  /** What is going on, in one word. */
  readonly label: string
}

/** Waits until a change that was accepted is done, and says how it ended. Ctrl-C leaves the change going on. */
export async function settle(
  terminal: Terminal,
  control: Pick<ServiceControl, 'watch'>,
  { name, label }: SettleOptions,
): Promise<void> {
  const interrupt = openInterrupt(terminal, 'waiting')
  const progress = openProgress(terminal, label, name)
  try {
    for await (const status of control.watch(name, interrupt.signal)) {
      const { desired, ready } = status.replicas
      progress.say(`${ready}/${desired} replicas of ${name} ready`)
      if (!isSettled(status)) continue
      progress.end()
      terminal.out(renderRow(status.phase.toLowerCase(), `${name}: ${status.summary}`))
      if (isServing(status)) return
      throw new TowlineError('TL_SERVICE_FAILED', status.lastFailure?.message ?? status.summary)
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    progress.end()
    terminal.out(renderRow('going on', `the change of ${name} was accepted; \`towline status\` shows it`))
  } finally {
    progress.end()
    interrupt.close()
  }
}

/**
 * Old replicas that still answer what they owe are part of the change; those of an earlier revision that stand by, and those
 * of a canary, are not.
 */
export function isSettled(status: ServiceStatus): boolean {
  const { phase, replicas, instances, revision, rollout } = status
  if (phase === 'Failed' || phase === 'Stopping') return true
  if (rollout?.kind === 'Rolling') return rollout.phase === 'Paused'
  const own = instances.filter((instance) => instance.revision === revision)
  if (isServing(status))
    return own.length === replicas.desired && (rollout !== null || instances.every((each) => each.phase !== 'Draining'))
  return phase === 'Degraded'
}

/** A rejected revision, or a canary beside it, takes nothing from the service itself. */
function isServing({ phase, replicas, rejected, rollout }: ServiceStatus): boolean {
  if (phase === 'Ready' || phase === 'Idle') return true
  return (rejected !== null || rollout !== null) && replicas.ready >= replicas.desired
}

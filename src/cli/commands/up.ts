import { formatMs } from '../../base/display.ts'
import type { ServiceStatus } from '../../control/api.ts'
import { bringUp } from '../bring-up.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { takeDown } from '../take-down.ts'
import { renderRow } from '../term/layout.ts'
import type { Terminal } from '../term/terminal.ts'
import { nothingTold, tellRollout } from '../view/rollout-story.ts'

export interface UpFlags {
  readonly env?: string
  readonly envFile?: string
  readonly apiKeys?: string
  readonly port?: number
  readonly detach: boolean
  readonly lease?: number
  readonly project?: string
}

export async function up(this: CliContext, flags: UpFlags, file: string): Promise<void> {
  const { terminal } = this
  const projectDir = findProjectDir(this.cwd, flags.project)
  const interrupt = openInterrupt(terminal, 'stopping')
  try {
    const { signal } = interrupt
    const service = await bringUp(terminal, {
      file,
      projectDir,
      leaseMs: flags.lease,
      port: flags.port,
      overlay: flags.env,
      envFile: flags.envFile,
      apiKeyFile: flags.apiKeys,
      attached: !flags.detach,
      signal,
    })
    if (flags.detach || service.ranBefore) {
      terminal.out(renderRow('stop', `towline down ${service.name}`))
      await service.changes.return?.()
      return
    }
    terminal.out(renderRow('stop', 'Ctrl-C'))
    await followChanges(terminal, service.changes, service.ready, signal)
    await takeDown(terminal, service.engine, [service.name])
    terminal.out(renderRow('stopped', service.name))
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    terminal.out(
      flags.detach
        ? renderRow('going on', 'what was applied is carried out; `towline status` shows it')
        : renderRow('stopped', 'before it was ready; a service that ran before goes on'),
    )
  } finally {
    interrupt.close()
  }
}

/** One line for each change of state, each failure and each thing a rollout reaches, until interrupted. */
export async function followChanges(
  terminal: Terminal,
  changes: AsyncIterator<ServiceStatus>,
  first: ServiceStatus,
  signal: AbortSignal,
): Promise<void> {
  const interrupted = new Promise<'Interrupted'>((resolve) => {
    if (signal.aborted) resolve('Interrupted')
    signal.addEventListener('abort', () => resolve('Interrupted'), { once: true })
  })
  let last = first
  let told = tellRollout(nothingTold, first, Date.now()).told
  for (;;) {
    const next = await Promise.race([changes.next().catch(ifAborted(signal)), interrupted])
    if (next === 'Interrupted' || next.done === true) return
    const look = tellRollout(told, next.value, Date.now())
    told = look.told
    look.rows.forEach((row) => terminal.out(row))
    printChange(terminal, last, next.value)
    last = next.value
  }
}

const ifAborted =
  (signal: AbortSignal) =>
  (error: unknown): 'Interrupted' => {
    if (signal.aborted) return 'Interrupted'
    throw error
  }

function printChange(terminal: Terminal, before: ServiceStatus, now: ServiceStatus): void {
  for (const replica of now.instances) {
    const known = before.instances.find(({ name }) => name === replica.name)?.lastFailure?.atMs
    if (replica.lastFailure === null || replica.lastFailure.atMs === known) continue
    const wait =
      replica.nextStartAtMs === null
        ? ''
        : `, next start in ${formatMs(Math.max(0, replica.nextStartAtMs - Date.now()))}`
    terminal.out(renderRow('restart', `${replica.name}: ${replica.lastFailure.message}${wait}`))
  }
  if (before.phase !== now.phase || before.replicas.ready !== now.replicas.ready) {
    const serves = now.revision === before.revision ? '' : `, revision ${now.revision} serves`
    terminal.out(
      renderRow(now.phase.toLowerCase(), `${now.replicas.ready}/${now.replicas.desired} replicas ready${serves}`),
    )
  }
}

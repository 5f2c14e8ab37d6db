import { formatMs } from '../../base/display.ts'
import { connectEngine } from '../../control/client.ts'
import type { CliContext } from '../context.ts'
import { findProjectDir } from '../project.ts'
import { renderTable } from '../term/layout.ts'
import { findService } from './status.ts'

export interface EventsFlags {
  readonly count: number
  readonly json: boolean
  readonly project?: string
}

export async function events(this: CliContext, flags: EventsFlags, name: string): Promise<void> {
  const engine = await connectEngine(findProjectDir(this.cwd, flags.project))
  findService(await engine.status(), name)
  const list = await engine.events(name, flags.count)
  if (flags.json) return this.terminal.out(JSON.stringify(list, undefined, 2))
  const nowMs = Date.now()
  const rows = list.map(({ atMs, service, replica, reason, message }) => [
    `${formatMs(Math.max(0, nowMs - atMs))} ago`,
    replica ?? service ?? 'gateway',
    reason,
    message,
  ])
  this.terminal.out(renderTable(['WHEN', 'WHO', 'WHAT', 'MORE'], rows))
}

import { type CliContext, openInterrupt } from '../context.ts'
import { readEngineLogs } from '../logs/engine-logs.ts'
import type { PlaceFlags } from '../place-flags.ts'
import { findProjectDir } from '../project.ts'
import { type LogFilter, renderLogLine } from '../view/log-lines.ts'

export interface LogsFlags extends PlaceFlags {
  readonly follow: boolean
  readonly replica?: string
  readonly since?: number
  readonly tail?: number
  readonly json: boolean
}

export async function logs(this: CliContext, flags: LogsFlags, service?: string): Promise<void> {
  const { terminal } = this
  const filter: LogFilter = {
    service,
    replica: flags.replica,
    sinceMs: flags.since === undefined ? undefined : Date.now() - flags.since,
  }
  const interrupt = flags.follow ? openInterrupt(terminal, 'stopping') : undefined
  const reading = { tail: flags.tail, follow: interrupt?.signal }
  try {
    const lines = readEngineLogs(findProjectDir(this.cwd, flags.project), filter, reading)
    for await (const line of lines) terminal.out(flags.json ? line.raw : renderLogLine(line))
  } catch (error) {
    if (interrupt?.signal.aborted !== true) throw error
  } finally {
    interrupt?.close()
  }
}

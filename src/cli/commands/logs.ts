import { TowlineError } from '../../base/errors.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { readEngineLogs } from '../logs/engine-logs.ts'
import { type PlaceFlags, isCluster } from '../place-flags.ts'
import { findProjectDir } from '../project.ts'
import { type LogFilter, type LogLine, renderLogLine } from '../view/log-lines.ts'

export interface LogsFlags extends PlaceFlags {
  readonly follow: boolean
  readonly replica?: string
  readonly since?: number
  readonly tail?: number
  readonly previous: boolean
  readonly json: boolean
}

export async function logs(this: CliContext, flags: LogsFlags, service?: string): Promise<void> {
  const { terminal } = this
  if (flags.previous && !isCluster(flags))
    throw new TowlineError('TL_USAGE', '`--previous` is about containers of a cluster', {
      hint: 'here the log of a replica goes on when it is started again',
    })
  const filter: LogFilter = {
    service,
    replica: flags.replica,
    sinceMs: flags.since === undefined ? undefined : Date.now() - flags.since,
  }
  const interrupt = flags.follow ? openInterrupt(terminal, 'stopping') : undefined
  const reading = { tail: flags.tail, follow: interrupt?.signal }
  try {
    const lines = isCluster(flags)
      ? await openClusterLogs(this, flags, { ...filter, service }, reading.follow)
      : readEngineLogs(findProjectDir(this.cwd, flags.project), filter, reading)
    for await (const line of lines) terminal.out(flags.json ? line.raw : renderLogLine(line))
  } catch (error) {
    if (interrupt?.signal.aborted !== true) throw error
  } finally {
    interrupt?.close()
  }
}

async function openClusterLogs(
  { terminal }: CliContext,
  { previous, tail, ...flags }: LogsFlags,
  { service, ...filter }: LogFilter,
  follow: AbortSignal | undefined,
): Promise<AsyncGenerator<LogLine>> {
  if (service === undefined)
    throw new TowlineError('TL_USAGE', 'name the service whose logs are wanted', {
      hint: '`towline status` with the same --context and -n lists them',
    })
  if (previous && follow !== undefined)
    throw new TowlineError('TL_USAGE', '`--previous` and `--follow`: what has ended does not go on')
  if (flags.project !== undefined) throw new TowlineError('TL_USAGE', 'both `--project` and a cluster')
  const { readClusterLogs } = await import('../logs/cluster-logs.ts')
  const onNote = (note: string): void => terminal.err(`  ${note}`)
  return readClusterLogs(flags, { ...filter, service }, { tail, previous, follow, onNote })
}

import { writeFileSync } from 'node:fs'
import { TowlineError } from '../../base/errors.ts'
import { systemClock } from '../../base/clock.ts'
import { openLoadConnection, renderPost } from '../../bench/connection.ts'
import { type Arrivals, runOpenLoop } from '../../bench/open-loop.ts'
import { type CliContext, openInterrupt } from '../context.ts'
import { keyHeader, readPayload, sendPayload } from '../inference.ts'
import { countFailed, describeLoad, renderLoad } from '../view/load-report.ts'
import { findProjectDir } from '../project.ts'
import { resolveTarget } from '../target.ts'
import { openProgress } from '../term/progress.ts'

export interface BenchFlags {
  readonly rate: number
  readonly duration: number
  readonly arrivals: Arrivals
  readonly connections: number
  readonly timeout: number
  readonly json: boolean
  readonly out?: string
  readonly project?: string
}

export async function bench(this: CliContext, flags: BenchFlags, target: string, file: string): Promise<void> {
  const { terminal } = this
  const url = new URL(await resolveTarget(findProjectDir(this.cwd, flags.project), target))
  if (url.protocol !== 'http:')
    throw new TowlineError('TL_USAGE', `${url.protocol}// is not spoken by \`bench\``, {
      hint: 'give an http:// address',
    })
  const payload = readPayload(file)
  // What the service refuses would be refused at full rate, and fast: that must not look like a measurement.
  await sendPayload(payload, { url: url.href, timeoutMs: flags.timeout })
  const interrupt = openInterrupt(terminal, 'waiting for the last answers')
  const progress = openProgress(terminal, 'bench', 'first requests')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const settings = {
    ratePerSecond: flags.rate,
    arrivals: flags.arrivals,
    durationMs: flags.duration,
    timeoutMs: flags.timeout,
    maxConnections: flags.connections,
  }
  try {
    const report = await runOpenLoop({
      ...settings,
      request: renderPost(
        `${url.pathname}${url.search}`,
        { 'content-type': payload.type, ...keyHeader() },
        payload.bytes,
        url.host,
      ),
      connect: async () => await openLoadConnection(Number(url.port || 80), host),
      clock: systemClock,
      random: Math.random,
      signal: interrupt.signal,
      onProgress: ({ answered, failed }) =>
        progress.say(terminal.live ? `${answered} answered${failed === 0 ? '' : `, ${failed} failed`}` : 'sending'),
    })
    progress.end()
    const described = describeLoad(url.href, settings, report)
    const json = JSON.stringify(described, undefined, 2)
    terminal.out(flags.json ? json : renderLoad(described))
    if (flags.out !== undefined) write(flags.out, json)
    const failed = countFailed(described)
    if (failed > 0) throw new TowlineError('TL_LOAD_FAILED', `${failed} of ${described.due} failed or were refused`)
  } finally {
    progress.end()
    interrupt.close()
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, `${text}\n`)
  } catch (cause) {
    throw new TowlineError('TL_FILE_UNWRITABLE', `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

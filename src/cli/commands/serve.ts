import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beside } from '../../base/process/beside.ts'
import { hasErrors } from '../../base/diagnostic.ts'
import { formatMs } from '../../base/display.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { renewLease } from '../../base/process/lease.ts'
import type { ReplicaAnnouncement, ReplicaConfig } from '../../serve/replica-config.ts'
import { loadSpec } from '../../spec/load.ts'
import { planSessions } from '../../spec/model/model-sessions.ts'
import type { CliContext } from '../context.ts'
import { printDiagnostics } from '../term/failure.ts'
import { renderRow } from '../term/layout.ts'

export interface ServeFlags {
  readonly port: number
  readonly metricsPort: number
  readonly host: string
}

/** One replica, its log lines on stdout, until it is told to stop: what a container runs. */
export async function serve(this: CliContext, flags: ServeFlags, file: string): Promise<void> {
  const { terminal } = this
  const { service, diagnostics } = await loadSpec(file)
  printDiagnostics(terminal, diagnostics)
  if (service === undefined || hasErrors(diagnostics)) throw new TowlineError('TL_SPEC_INVALID', file)
  const { name, model, serving, lifecycle, env } = service
  const folder = mkdtempSync(join(tmpdir(), 'towline-serve-'))
  const leaseFile = join(folder, 'lease')
  const announceFile = join(folder, 'state.json')
  const config: ReplicaConfig = {
    service: name,
    replica: name,
    revision: 1,
    modelPath: model.path,
    modelName: model.name,
    ...planSessions(service),
    host: flags.host,
    port: flags.port,
    metricsPort: flags.metricsPort,
    ...serving,
    drainTimeoutMs: lifecycle.drainTimeoutMs,
    logFile: '-',
    announceFile,
    // Should this process be killed, the replica drains and ends by itself.
    lease: { file: leaseFile, leaseMs: 5000 },
  }
  try {
    const configFile = join(folder, 'config.json')
    writeFileSync(configFile, JSON.stringify(config))
    const entry = fileURLToPath(
      beside(
        new URL('../../serve/replica-process', import.meta.url).href + endingOf(import.meta.url),
        'replica-process',
      ),
    )
    const values = Object.fromEntries(env.map((variable) => [variable.name, variable.value]))
    const child = spawn(process.execPath, [entry, configFile], { stdio: 'inherit', env: { ...process.env, ...values } })
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
    // A terminal's Ctrl-C reaches the child by itself; it drains, and this process waits for it.
    const ignore = (): void => undefined
    process.on('SIGTERM', forward)
    process.on('SIGINT', ignore)
    const ended = Promise.withResolvers<number | null>()
    child.on('error', ended.reject)
    child.on('close', ended.resolve)
    let isAnnounced = false
    const watch = setInterval(() => {
      renewLease(leaseFile, Date.now())
      if (isAnnounced) return
      const announcement = readAnnouncement(announceFile)
      if (announcement?.state !== 'Serving') return
      isAnnounced = true
      terminal.err(
        renderRow(
          'serving',
          `http://${flags.host}:${announcement.port}   (warm-up ${formatMs(announcement.warmupMs)} a run)`,
        ),
      )
      terminal.err(renderRow('metrics', `http://${flags.host}:${announcement.metricsPort}/metrics`))
    }, 100)
    const code = await ended.promise
    clearInterval(watch)
    process.off('SIGTERM', forward)
    process.off('SIGINT', ignore)
    const last = readAnnouncement(announceFile)
    if (last?.state === 'Failed')
      throw new TowlineError(
        last.code,
        last.message.replace(/^[^:]*: /, ''),
        last.hint === undefined ? {} : { hint: last.hint },
      )
    if (code !== 0)
      throw new TowlineError(
        'TL_SERVICE_FAILED',
        `the replica ended with ${code === null ? 'a signal' : `exit code ${code}`}`,
      )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const endingOf = (url: string): string => (url.endsWith('.ts') ? '.ts' : '.js')

function readAnnouncement(file: string): ReplicaAnnouncement | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ReplicaAnnouncement // written by the replica alone
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

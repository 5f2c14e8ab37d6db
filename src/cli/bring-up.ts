import { resolve } from 'node:path'
import { formatBytes, formatMs } from '../base/display.ts'
import { hasErrors } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import type { ServiceStatus } from '../control/api.ts'
import { type EngineClient, startEngine } from '../control/client.ts'
import { loadSpec } from '../spec/load.ts'
import { printDiagnostics } from './term/failure.ts'
import { renderRow } from './term/layout.ts'
import { readApiKeys, readEnvFile } from './secret-files.ts'
import { openProgress } from './term/progress.ts'
import type { Terminal } from './term/terminal.ts'

export interface BringUpOptions {
  readonly file: string
  readonly projectDir: string
  /** Absent: the default, or what the running engine has. */
  readonly leaseMs?: number | undefined
  readonly port?: number | undefined
  readonly overlay?: string | undefined
  readonly envFile?: string | undefined
  readonly apiKeyFile?: string | undefined
  /** The service lives no longer than this process. */
  readonly attached: boolean
  readonly signal: AbortSignal
}

export interface RunningService {
  readonly engine: EngineClient
  readonly name: string
  readonly ready: ServiceStatus
  /** What happens after it became ready. */
  readonly changes: AsyncIterator<ServiceStatus>
}

/** From a file to a service that answers; `up` and `npm start` are both this. Prints one line for each thing reached. */
export async function bringUp(terminal: Terminal, options: BringUpOptions): Promise<RunningService> {
  const env = options.envFile === undefined ? undefined : readEnvFile(options.envFile)
  const apiKeys = options.apiKeyFile === undefined ? undefined : readApiKeys(options.apiKeyFile)
  const { document, service, diagnostics } = await loadSpec(options.file, {
    ...(env === undefined ? {} : { env }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
    ...(options.overlay === undefined ? {} : { overlay: options.overlay }),
  })
  printDiagnostics(terminal, diagnostics)
  if (service === undefined || hasErrors(diagnostics)) {
    const count = diagnostics.filter(({ severity }) => severity === 'error').length
    throw new TowlineError('TL_SPEC_INVALID', `${count} ${count === 1 ? 'error' : 'errors'} in ${options.file}`)
  }
  const startMs = performance.now()
  const progress = openProgress(terminal, 'engine', 'starting')
  try {
    const engine = await startEngine(options.projectDir, { leaseMs: options.leaseMs })
    const { name } = service
    const request = {
      document,
      file: resolve(options.file),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(env === undefined ? {} : { env }),
      ...(apiKeys === undefined ? {} : { apiKeys }),
    }
    if (!options.attached) await engine.apply(name, request)
    const changes = options.attached ? engine.attach(name, request, options.signal) : engine.watch(name, options.signal)
    const ready = await untilReady(changes, (status) =>
      progress.say(`${status.replicas.ready}/${status.replicas.desired} replicas of ${name} ready`),
    )
    progress.end()
    printReady(terminal, ready, performance.now() - startMs)
    return { engine, name, ready, changes }
  } finally {
    progress.end()
  }
}

async function untilReady(
  changes: AsyncIterator<ServiceStatus>,
  say: (status: ServiceStatus) => void,
): Promise<ServiceStatus> {
  for (;;) {
    const next = await changes.next()
    if (next.done === true)
      throw new TowlineError('TL_ENGINE_LOST', 'it ended before the service was ready', { hint: 'see `towline logs`' })
    const status: ServiceStatus = next.value
    say(status)
    if (status.phase === 'Ready' || status.phase === 'Idle') return status
    if (status.phase === 'Failed') {
      const { lastFailure } = status
      throw new TowlineError(
        'TL_SERVICE_FAILED',
        lastFailure?.message ?? status.summary,
        typeof lastFailure?.hint === 'string' ? { hint: lastFailure.hint } : {},
      )
    }
  }
}

function printReady(terminal: Terminal, { model, replicas, instances, url }: ServiceStatus, tookMs: number): void {
  const digest = model.sha256 === null ? '' : `  sha256 ${model.sha256.slice(0, 6)}…`
  const size = model.sizeBytes === null ? '' : `  ${formatBytes(model.sizeBytes)}`
  const warmups = instances.map(({ warmupMs }) => warmupMs).filter((warmupMs) => warmupMs !== null)
  const warmup = warmups.length === 0 ? '' : `   (warm-up ${formatMs(Math.max(...warmups))} a run)`
  terminal.out(renderRow('model', `${model.name}  ${model.format}${size}${digest}`))
  terminal.out(renderRow('replicas', `${replicas.ready}/${replicas.desired} ready in ${formatMs(tookMs)}${warmup}`))
  terminal.out(renderRow('gateway', terminal.style('cyan', url)))
}

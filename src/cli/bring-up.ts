import { formatBytes, formatDigest, formatMs } from '../base/display.ts'
import { TowlineError } from '../base/errors.ts'
import type { ServiceStatus } from '../control/api.ts'
import { type EngineClient, startEngine } from '../control/client.ts'
import { type WrittenService, readApplyRequest } from './apply-request.ts'
import { describeWait, explainFailed, findFailure, followRollout } from './rollout/follow-rollout.ts'
import { renderRow } from './term/layout.ts'
import { openProgress } from './term/progress.ts'
import type { Terminal } from './term/terminal.ts'
import { explainPause } from './view/rollout-words.ts'

export interface BringUpOptions extends WrittenService {
  readonly projectDir: string
  /** Absent: the default, or what the running engine has. */
  readonly leaseMs?: number | undefined
  readonly port?: number | undefined
  /** The service lives no longer than this process. */
  readonly attached: boolean
  readonly signal: AbortSignal
}

export interface RunningService {
  readonly engine: EngineClient
  readonly name: string
  /** Ready, or with a rollout that waits for a person. */
  readonly ready: ServiceStatus
  /** It ran before, so it is not this process's to take down. */
  readonly ranBefore: boolean
  /** What happens after it became ready. */
  readonly changes: AsyncIterator<ServiceStatus>
}

/**
 * From a file to a service that answers; `up` and `npm start` are both this. Prints one line for each thing reached. Where the
 * service runs already it is changed, through a rollout that is followed to its end or to where a person has to decide.
 */
export async function bringUp(terminal: Terminal, options: BringUpOptions): Promise<RunningService> {
  const { signal } = options
  const { service, request: read } = await readApplyRequest(terminal, options)
  const { name } = service
  const request = { ...read, ...(options.port === undefined ? {} : { port: options.port }) }
  const startMs = performance.now()
  const progress = openProgress(terminal, 'engine', 'starting')
  let changes: AsyncGenerator<ServiceStatus> | undefined
  try {
    const engine = await startEngine(options.projectDir, { leaseMs: options.leaseMs })
    const ranBefore = (await engine.status()).services.some(
      (service) => service.name === name && service.phase !== 'Stopping',
    )
    const attaches = options.attached && !ranBefore
    if (!attaches) await engine.apply(name, request)
    changes = attaches ? engine.attach(name, request, signal) : engine.watch(name, signal)
    const followed = {
      control: engine,
      name,
      changes,
      print: (row: string) => {
        progress.clear()
        terminal.out(row)
      },
      say: (status: ServiceStatus) => progress.say(describeWait(terminal, status)),
    }
    const outcome = await followRollout(followed)
    const failure = findFailure(outcome, name)
    if (failure !== undefined) throw failure
    const waits = outcome.kind === 'Paused' || outcome.kind === 'Held'
    const ready = waits
      ? outcome.status
      : await untilReady(outcome.status, changes, ({ replicas }) =>
          progress.say(`${replicas.ready}/${replicas.desired} replicas of ${name} ready`),
        )
    progress.end()
    if (outcome.kind === 'Paused') terminal.out(renderRow('to go on', explainPause(outcome.rollout, name)))
    else if (outcome.kind === 'Held') terminal.out(renderRow('waiting', ready.summary))
    else printReady(terminal, ready, performance.now() - startMs)
    return { engine, name, ready, ranBefore, changes }
  } catch (error) {
    await changes?.return(undefined).catch(() => undefined)
    throw error
  } finally {
    progress.end()
  }
}

async function untilReady(
  first: ServiceStatus,
  changes: AsyncIterator<ServiceStatus>,
  say: (status: ServiceStatus) => void,
): Promise<ServiceStatus> {
  let status = first
  for (;;) {
    say(status)
    if (status.phase === 'Ready' || status.phase === 'Idle') return status
    if (status.phase === 'Failed') throw explainFailed(status)
    const next = await changes.next()
    if (next.done === true)
      throw new TowlineError('TL_ENGINE_LOST', 'it ended before the service was ready', { hint: 'see `towline logs`' })
    status = next.value
  }
}

function printReady(terminal: Terminal, { model, replicas, instances, url }: ServiceStatus, tookMs: number): void {
  const digest = model.digest === '' ? '' : `  sha256 ${formatDigest(model.digest)}`
  const size = model.sizeBytes === null ? '' : `  ${formatBytes(model.sizeBytes)}`
  const warmups = instances.map(({ warmupMs }) => warmupMs).filter((warmupMs) => warmupMs !== null)
  const warmup = warmups.length === 0 ? '' : `   (warm-up ${formatMs(Math.max(...warmups))} a run)`
  terminal.out(renderRow('model', `${model.name}  ${model.format}${size}${digest}`))
  terminal.out(renderRow('replicas', `${replicas.ready}/${replicas.desired} ready in ${formatMs(tookMs)}${warmup}`))
  terminal.out(renderRow('gateway', terminal.style('cyan', url)))
}

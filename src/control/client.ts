import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beside } from '../base/process/beside.ts'
import { systemClock } from '../base/clock.ts'
import { renderDuration } from '../base/duration.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { readTail } from '../engine/log-files.ts'
import type { EvidencePace } from '../engine/rollout/evidence.ts'
import { type ProjectPaths, prepareProject, projectPaths } from '../engine/paths.ts'
import { lastLine } from '../engine/replica/exit-reason.ts'
import { callInference, inferUrl } from '../bench/inference-call.ts'
import { readControlError } from '../net/control-error.ts'
import { isLate, isNobodyListening, requestJson, streamLines } from '../net/http-client.ts'
import type {
  ApplyRequest,
  EngineEvent,
  EngineStatus,
  HistoryStatus,
  LoadStatus,
  OrderAnswer,
  PlanStatus,
  ServiceStatus,
} from './api.ts'
import type { ServiceControl } from './service-control.ts'
import { findService } from './find-service.ts'
import { type EngineStart, failureFile, minLeaseMs, readFailure } from './engine-start.ts'

/** One engine's control interface. Each call connects anew; a lost engine is TL_ENGINE_LOST, none at all TL_ENGINE_MISSING. */
export interface EngineClient extends ServiceControl {
  status(): Promise<EngineStatus>
  apply(name: string, request: ApplyRequest): Promise<ServiceStatus>
  /** What `apply` would do; changes nothing. */
  plan(name: string, request: ApplyRequest): Promise<PlanStatus>
  restartGateway(): Promise<EngineStatus>
  /** Applies and watches; the service is taken down when this loop is left or this process ends, however it ends. */
  attach(name: string, request: ApplyRequest, signal?: AbortSignal): AsyncGenerator<ServiceStatus>
}

/** It keeps little and makes short-lived objects all day: a small nursery keeps its memory near what it needs. In MiB. */
const engineNodeFlags = ['--max-semi-space-size=1']
const defaultLeaseMs = 30_000
const callMs = 10_000
/** A new gateway process starts meanwhile. */
const handoverMs = 30_000
/** The gateway may have to start, and a large model is read once. */
const applyMs = 120_000
const removeMs = 300_000
const startLimitMs = 20_000
const pollMs = 30

export function createClient(projectDir: string): EngineClient {
  const { socket: socketPath, projectDir: shown } = projectPaths(projectDir)

  const call = async (
    method: string,
    path: string,
    { timeoutMs = callMs, body }: { timeoutMs?: number; body?: unknown } = {},
  ): Promise<unknown> => {
    try {
      const answer = await requestJson({ socketPath, method, path, timeoutMs, body })
      if (answer.status >= 300) throw readControlError(answer, `${method} ${path}`)
      return answer.body
    } catch (error) {
      throw explain(error, shown)
    }
  }
  const follow = async function* (
    method: string,
    path: string,
    { timeoutMs = callMs, body, signal }: { timeoutMs?: number; body?: ApplyRequest; signal?: AbortSignal | undefined },
  ): AsyncGenerator<ServiceStatus> {
    const more = signal === undefined ? {} : { signal }
    try {
      const lines = streamLines({ socketPath, method, path, timeoutMs, body, ...more }, (answer) =>
        readControlError(answer, `${method} ${path}`),
      )
      // The engine's own words, of the same version.
      for await (const line of lines) yield line as ServiceStatus
    } catch (error) {
      throw signal?.aborted === true ? error : explain(error, shown)
    }
  }
  const at = (name: string, verb = ''): string => `/v1/services/${encodeURIComponent(name)}${verb}`

  const status = async (): Promise<EngineStatus> => (await call('GET', '/v1/status')) as EngineStatus
  return {
    place: { kind: 'Engine', projectDir: shown },
    status,
    services: async (name) => {
      const { services } = await status()
      return name === undefined ? services : [findService(services, name)]
    },
    apply: async (name, body) => (await call('PUT', at(name), { body, timeoutMs: applyMs })) as ServiceStatus,
    plan: async (name, body) => (await call('POST', at(name, '/plan'), { body, timeoutMs: applyMs })) as PlanStatus,
    scale: async (name, replicas) => (await call('PUT', at(name, '/scale'), { body: { replicas } })) as ServiceStatus,
    order: async (name, body) => (await call('POST', at(name, '/order'), { body })) as OrderAnswer,
    history: async (name) => (await call('GET', at(name, '/history'))) as HistoryStatus,
    restartGateway: async () => (await call('POST', '/v1/gateway/restart', { timeoutMs: handoverMs })) as EngineStatus,
    events: async (name, count) => (await call('GET', `${at(name, '/events')}?count=${count}`)) as EngineEvent[],
    load: async (name) => {
      const load = (await call('GET', '/v1/load')) as LoadStatus
      return { ...load, services: load.services.filter((service) => name === undefined || service.name === name) }
    },
    remove: async (name) => {
      await call('DELETE', at(name), { timeoutMs: removeMs })
    },
    watch: (name, signal) => follow('GET', at(name, '/watch'), { signal }),
    infer: async (name, payload, { topK, ...more }) => {
      const { url, model } = findService((await status()).services, name)
      const query = topK === undefined ? '' : `?top_k=${topK}`
      return callInference(payload, { url: inferUrl(url, model.name) + query, ...more })
    },
    close: () => Promise.resolve(),
    attach: (name, body, signal) => follow('POST', at(name, '/attach'), { body, signal, timeoutMs: applyMs }),
  }
}

export function isEngine(control: ServiceControl): control is EngineClient {
  return control.place.kind === 'Engine'
}

/** The engine of this project; TL_ENGINE_MISSING when none runs. */
export async function connectEngine(projectDir: string): Promise<EngineClient> {
  const client = createClient(projectDir)
  await client.status()
  return client
}

export interface NewEngine {
  /** Absent: the default, or what the running engine has. */
  readonly leaseMs?: number | undefined
  /** Of a new engine: between two looks of an autoscaler; absent: 15 s, as in a cluster. */
  readonly scaleSyncMs?: number | undefined
  /** Of a new engine: windows of evidence; absent: 10 s, the first 30 s after a change of weight left out. */
  readonly evidencePace?: EvidencePace | undefined
  /** Of a new engine: false kills replicas instead of draining them, for the proof that draining matters. */
  readonly drains?: boolean | undefined
}

/**
 * The engine of this project, started if none runs. Of two that start at once the store's lock lets one live, and both
 * callers get that one. TL_USAGE when it runs with another lease than the one asked for.
 */
export async function startEngine(projectDir: string, settings: NewEngine = {}): Promise<EngineClient> {
  const { leaseMs } = settings
  if (leaseMs !== undefined && leaseMs < minLeaseMs)
    throw new TowlineError(
      'TL_USAGE',
      `a lease of ${renderDuration(leaseMs)}; the least is ${renderDuration(minLeaseMs)}`,
    )
  const client = createClient(projectDir)
  await ensureEngine(client, projectPaths(projectDir), { ...settings, leaseMs: leaseMs ?? defaultLeaseMs })
  const { leaseMs: presentMs } = await client.status()
  if (leaseMs !== undefined && presentMs !== leaseMs) {
    const detail = `a lease of ${renderDuration(leaseMs)}, and the engine runs with ${renderDuration(presentMs)}`
    throw new TowlineError('TL_USAGE', detail, { hint: 'leave `--lease` away, or take all services down first' })
  }
  return client
}

type Settings = Pick<EngineStart, 'leaseMs' | 'scaleSyncMs' | 'evidencePace' | 'drains'>

async function ensureEngine(client: EngineClient, paths: ProjectPaths, settings: Settings): Promise<void> {
  const limitMs = systemClock.monotonicMs() + startLimitMs
  if (await isAnswering(client)) return
  prepareProject(paths)
  for (;;) {
    const failure = await launchEngine(paths, settings, client)
    if (failure === undefined) return
    // Another one has the lock: it is about to answer, or about to end and let go.
    if (failure.code !== 'TL_ENGINE_RUNNING' || systemClock.monotonicMs() > limitMs) throw failure
    for (let tries = 0; tries < 20; tries++) {
      if (await isAnswering(client)) return
      await systemClock.sleep(pollMs)
    }
  }
}

/** Undefined once an engine answers; what it said of its failure when it ended before that. */
async function launchEngine(
  paths: ProjectPaths,
  settings: Settings,
  client: EngineClient,
): Promise<TowlineError | undefined> {
  const start: EngineStart = { projectDir: paths.projectDir, ...settings, failureFile: failureFile(paths, process.pid) }
  rmSync(start.failureFile, { force: true })
  const stderrFile = join(paths.logs, 'engine.stderr')
  const stderr = openSync(stderrFile, 'w', 0o640)
  const ended = Promise.withResolvers<string>()
  let over = false
  try {
    const entry = fileURLToPath(beside(import.meta.url, 'engine-process'))
    const child = spawn(process.execPath, [...engineNodeFlags, entry, JSON.stringify(start)], {
      detached: true,
      stdio: ['ignore', 'ignore', stderr],
      cwd: paths.projectDir,
    })
    child.on('error', (error) => ended.resolve(error.message))
    child.on('exit', (code, signal) => ended.resolve(signal ?? `exit code ${code}`))
    child.unref()
  } finally {
    closeSync(stderr)
  }
  void ended.promise.then(() => (over = true))
  const limitMs = systemClock.monotonicMs() + startLimitMs
  try {
    while (systemClock.monotonicMs() < limitMs) {
      if (await isAnswering(client)) return undefined
      if (over) {
        const last = lastLine(readTail(stderrFile))
        const detail = `it ended at its start (${await ended.promise})${last === '' ? '' : `: ${last}`}`
        return readFailure(start.failureFile) ?? new TowlineError('TL_ENGINE_START', detail)
      }
      await systemClock.sleep(pollMs)
    }
    throw new TowlineError('TL_ENGINE_START', `no answer within ${startLimitMs} ms`, {
      hint: `${join(paths.logs, 'engine.log')} may say why`,
    })
  } finally {
    rmSync(start.failureFile, { force: true })
  }
}

async function isAnswering(client: EngineClient): Promise<boolean> {
  try {
    await client.status()
    return true
  } catch (error) {
    if (error instanceof TowlineError && ['TL_ENGINE_MISSING', 'TL_ENGINE_LOST'].includes(error.code)) return false
    throw error
  }
}

function explain(error: unknown, projectDir: string): unknown {
  if (isNobodyListening(error)) {
    return new TowlineError('TL_ENGINE_MISSING', projectDir, { cause: error, hint: '`towline up FILE` starts one' })
  }
  if (isLate(error) || hasErrno(error, 'ECONNRESET', 'EPIPE', 'EBADMSG')) {
    return new TowlineError('TL_ENGINE_LOST', (error as Error).message, {
      cause: error,
      hint: 'services go on for their lease; `towline up` takes them over',
    })
  }
  return error
}

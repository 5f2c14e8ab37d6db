import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { beside } from '../base/process/beside.ts'
import type { Clock } from '../base/clock.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { renewLease } from '../base/process/lease.ts'
import type { ProcessIdentity } from '../base/process/process-identity.ts'
import { decideRestart } from '../decide/restart.ts'
import { readControlError } from '../net/control-error.ts'
import { requestJson } from '../net/http-client.ts'
import { childEnv } from './child-env.ts'
import type { GatewayConfig, GatewayRoute, GatewayRouteStatus } from './gateway/gateway-config.ts'
import { type ProcessFiles, type ProjectPaths, processFiles } from './paths.ts'
import type { GatewayRecord } from './records.ts'
import type { GatewayStatus } from './service-status.ts'
import { type SupervisedProcess, adoptProcess, launchProcess } from './supervised-process.ts'

export interface GatewaySurroundings {
  readonly paths: ProjectPaths
  readonly clock: Clock
  readonly leaseMs: number
  readonly save: (record: GatewayRecord) => void
  readonly wake: () => void
}

export const gatewayName = 'gateway'
/** Bound on what a closing gateway waits for; a service's own drain time, kept by the engine, is usually shorter. */
const drainTimeoutMs = 60_000
const callMs = 2000
const checkMs = 1000
const startingCheckMs = 50
/** Missed checks in a row before a gateway that once answered is replaced; one that starts gets longer. */
const deadAfter = 3
const startLimitMs = 15_000

/** The gateway's process: kept running, asked whether it answers, told the routes. */
export class GatewayHands {
  /** A new number for each process: whoever told the last one its routes tells the next one again. */
  generation = 0
  readonly files: ProcessFiles
  readonly #around: GatewaySurroundings
  readonly #socket: string
  readonly #routesFile: string
  #record: GatewayRecord
  #process: SupervisedProcess | undefined
  #answers = false
  #checking = false
  #nextCheckMs = 0
  #misses = 0
  #failures = 0
  #dueMs = 0
  #startedMs = 0
  #stopping = false
  #traffic: readonly GatewayRouteStatus[] = []

  constructor(record: GatewayRecord, around: GatewaySurroundings) {
    this.#record = record
    this.#around = around
    this.files = processFiles(around.paths, gatewayName)
    this.#socket = join(around.paths.run, 'gateway.sock')
    this.#routesFile = join(around.paths.run, 'gateway.routes.json')
  }

  get ready(): boolean {
    return this.#answers
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  /** As of the last check. */
  get traffic(): readonly GatewayRouteStatus[] {
    return this.#traffic
  }

  adopt(identity: ProcessIdentity): void {
    this.#process = adoptProcess(identity)
    this.#startedMs = this.#around.clock.monotonicMs()
    this.generation++
    this.#update({ identity })
  }

  look(nowMs: number): void {
    if (this.#process?.exit() !== undefined) this.#ended(nowMs)
    if (this.#process === undefined) {
      if (!this.#stopping && nowMs >= this.#dueMs) this.#tryStart(nowMs)
      return
    }
    if (!this.#checking && nowMs >= this.#nextCheckMs && !this.#stopping) void this.#check(this.#process)
  }

  renewLease(): void {
    if (this.#process !== undefined) renewLease(this.files.lease, this.#around.clock.nowMs())
  }

  async put(route: GatewayRoute): Promise<GatewayRouteStatus> {
    return (await this.#call('PUT', `/routes/${route.service}`, { body: route })) as GatewayRouteStatus
  }

  /** Resolves when the service owes no answer any more. */
  async remove(service: string): Promise<void> {
    try {
      await this.#call('DELETE', `/routes/${service}`, { timeoutMs: drainTimeoutMs + callMs })
    } catch (error) {
      if (!(error instanceof TowlineError) || error.code !== 'TL_SERVICE_UNKNOWN') throw error
    }
  }

  async readTraffic(): Promise<readonly GatewayRouteStatus[]> {
    this.#traffic = (await this.#call('GET', '/routes')) as GatewayRouteStatus[]
    return this.#traffic
  }

  stop(): void {
    this.#stopping = true
    this.#process?.signal('SIGTERM')
  }

  kill(): void {
    this.#process?.signal('SIGKILL')
  }

  status(): GatewayStatus {
    return {
      pid: this.#process?.identity.pid ?? null,
      phase: this.#answers ? 'Ready' : this.#record.restarts > 0 ? 'Restarting' : 'Starting',
      restarts: this.#record.restarts,
    }
  }

  #tryStart(nowMs: number): void {
    try {
      this.#start(nowMs)
    } catch (error) {
      // A full disk, a removed folder: the services that run are not given up for it.
      if (!(error instanceof TowlineError) && !hasErrno(error, 'ENOSPC', 'EDQUOT', 'ENOENT', 'EACCES', 'EROFS'))
        throw error
      this.#dueMs = nowMs + checkMs
    }
  }

  #start(nowMs: number): void {
    const { paths, clock, leaseMs, wake } = this.#around
    // After a restart the gateway serves from its file at once. At the first start such a file is from another time.
    if (this.generation === 0) rmSync(this.#routesFile, { force: true })
    const config: GatewayConfig = {
      controlSocket: this.#socket,
      logFile: this.files.log,
      announceFile: this.files.announce,
      routesFile: this.#routesFile,
      lease: { file: this.files.lease, leaseMs },
      drainTimeoutMs,
    }
    writeFileAtomic(this.files.config, JSON.stringify(config))
    renewLease(this.files.lease, clock.nowMs())
    this.#startedMs = nowMs
    this.#misses = 0
    this.#nextCheckMs = nowMs
    this.generation++
    this.#process = launchProcess({
      entry: beside(import.meta.url, 'gateway-process'),
      configFile: this.files.config,
      stderrFile: this.files.stderr,
      cwd: paths.projectDir,
      env: childEnv(process.env, []),
      onExit: wake,
    })
    this.#update({ identity: this.#process.identity })
  }

  #ended(nowMs: number): void {
    this.#process = undefined
    this.#answers = false
    const readyMs = nowMs - this.#startedMs
    const { waitMs, failuresInRow } = decideRestart({ failuresInRow: this.#failures, readyMs, hopeless: false })
    this.#failures = failuresInRow
    // The port is closed until it is back: the first time there is nothing to wait for.
    this.#dueMs = failuresInRow === 1 ? nowMs : nowMs + waitMs
    this.#update({ identity: null, restarts: this.#record.restarts + (this.#stopping ? 0 : 1) })
  }

  async #check(asked: SupervisedProcess): Promise<void> {
    this.#checking = true
    let fine = true
    try {
      await this.readTraffic()
    } catch {
      fine = false
    }
    this.#checking = false
    const nowMs = this.#around.clock.monotonicMs()
    this.#nextCheckMs = nowMs + (fine || this.#answers ? checkMs : startingCheckMs)
    if (this.#process !== asked) return
    if (fine) {
      this.#misses = 0
      if (!this.#answers) this.#around.wake()
      this.#answers = true
      return
    }
    this.#misses++
    const tooLong = this.#answers ? this.#misses >= deadAfter : nowMs - this.#startedMs > startLimitMs
    if (tooLong) asked.signal('SIGKILL')
  }

  async #call(
    method: string,
    path: string,
    { body, timeoutMs = callMs }: { body?: unknown; timeoutMs?: number } = {},
  ): Promise<unknown> {
    const answer = await requestJson({ socketPath: this.#socket, method, path, body, timeoutMs })
    if (answer.status !== 200) throw readControlError(answer, `${method} ${path} at the gateway`)
    return answer.body
  }

  #update(change: Partial<GatewayRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#around.save(this.#record)
  }
}

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '../base/file/atomic-file.ts'
import { readAnnouncement } from '../base/process/announcement.ts'
import { beside } from '../base/process/beside.ts'
import type { Clock } from '../base/clock.ts'
import { TowlineError, hasErrno } from '../base/errors.ts'
import { renewLease } from '../base/process/lease.ts'
import type { ProcessIdentity } from '../base/process/process-identity.ts'
import { decideRestart } from '../decide/restart.ts'
import { readControlError } from '../net/control-error.ts'
import { requestJson } from '../net/http-client.ts'
import { findProcesses } from './adoption.ts'
import { childEnv } from './child-env.ts'
import {
  type GatewayAnnouncement,
  type GatewayConfig,
  type GatewayRoute,
  type GatewayRouteStatus,
  type Succession,
  gatewayNodeFlags,
} from './gateway/gateway-config.ts'
import { type ProcessFiles, type ProjectPaths, processFiles } from './paths.ts'
import type { GatewayRecord } from './state/records.ts'
import type { GatewayStatus } from './service-status.ts'
import { type SupervisedProcess, adoptProcess, launchProcess, renderExit } from './supervised-process.ts'

export interface GatewaySurroundings {
  readonly paths: ProjectPaths
  readonly clock: Clock
  readonly leaseMs: number
  readonly save: (record: GatewayRecord) => void
  readonly note: (reason: string, message: string) => void
  readonly wake: () => void
}

/** A gateway and the one that takes over from it run side by side for a while: two names are enough. */
export const gatewayNames = ['gateway', 'gateway-2'] as const
type GatewayName = (typeof gatewayNames)[number]

interface OtherGateway {
  readonly name: GatewayName
  readonly process: SupervisedProcess
}

/** Bound on what a closing gateway waits for; a service's own drain time, kept by the engine, is usually shorter. */
const drainTimeoutMs = 60_000
const callMs = 2000
const successionMs = 20_000
const checkMs = 1000
const gatewayEntry = beside(import.meta.url, 'gateway-process')
const startingCheckMs = 50
/** Missed checks in a row before a gateway that once answered is replaced; one that starts gets longer. */
const deadAfter = 3
const startLimitMs = 15_000

/** The gateway's process: kept running, asked whether it answers, told the routes. */
export class GatewayHands {
  /** A new number for each process: whoever told the last one its routes tells the next one again. */
  generation = 0
  readonly #around: GatewaySurroundings
  readonly #routesFile: string
  #record: GatewayRecord
  #name: GatewayName = gatewayNames[0]
  #process: SupervisedProcess | undefined
  /** Answers its last requests, or, where an earlier engine was killed in the middle of it, is about to take over. */
  #other: OtherGateway | undefined
  #replacing = false
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
    this.#routesFile = join(around.paths.run, 'gateway.routes.json')
  }

  get files(): ProcessFiles {
    return processFiles(this.#around.paths, this.#name)
  }

  get ready(): boolean {
    return this.#answers
  }

  get running(): boolean {
    return this.#process !== undefined || this.#other !== undefined
  }

  /** As of the last check. */
  get traffic(): readonly GatewayRouteStatus[] {
    return this.#traffic
  }

  /** By name, what an earlier engine left running: at most two, of which the one that serves is the gateway. */
  adopt(found: ReadonlyMap<string, ProcessIdentity>): void {
    const running = gatewayNames
      .flatMap((name) => {
        const identity = found.get(name)
        return identity === undefined ? [] : [{ name, process: adoptProcess(identity) }]
      })
      .toSorted((a, b) => Number(this.#stateOf(b) === 'Serving') - Number(this.#stateOf(a) === 'Serving'))
    const [first, second] = running
    this.#other = second
    if (first !== undefined) this.#take(first)
  }

  look(nowMs: number): void {
    if (this.#other?.process.exit() !== undefined) this.#other = undefined
    if (this.#process?.exit() !== undefined) this.#ended(nowMs)
    if (this.#process === undefined) {
      if (this.#stopping || this.#replacing || this.#takeOther() || nowMs < this.#dueMs) return
      return this.#tryStart(nowMs)
    }
    if (!this.#checking && nowMs >= this.#nextCheckMs && !this.#stopping) void this.#check(this.#process)
  }

  renewLease(): void {
    if (this.#process !== undefined) renewLease(this.files.lease, this.#around.clock.nowMs())
  }

  /** A gateway that answers its last requests is told too: a replica that leaves must leave it as well. */
  async put(route: GatewayRoute): Promise<GatewayRouteStatus> {
    const path = `/routes/${route.service}`
    const status = (await this.#call('PUT', path, { body: route })) as GatewayRouteStatus
    // What it no longer serves, or it itself, may be gone already.
    if (this.#other !== undefined)
      await this.#call('PUT', path, { body: route, to: this.#other.name }).catch(() => undefined)
    return status
  }

  /** Resolves when the service owes no answer any more. */
  async remove(service: string): Promise<void> {
    const [first] = await Promise.allSettled([
      this.#remove(service, this.#name),
      this.#other === undefined ? undefined : this.#remove(service, this.#other.name),
    ])
    if (first.status === 'rejected') throw first.reason
  }

  /** Another process takes the gateway's place, and no request is lost. Resolves when it serves. */
  async replace(): Promise<void> {
    const old = this.#process
    if (old === undefined || !this.#answers || this.#stopping || this.#replacing)
      throw new TowlineError('TL_NOT_READY', 'the gateway is starting or ending', { hint: 'try again in a moment' })
    if (this.#other !== undefined)
      throw new TowlineError('TL_NOT_READY', 'the gateway before this one still answers its last requests', {
        hint: `try again; it takes ${drainTimeoutMs / 1000} s at most`,
      })
    const name = otherName(this.#name)
    const files = processFiles(this.#around.paths, name)
    this.#replacing = true
    try {
      this.#configure(name)
      const entry = fileURLToPath(gatewayEntry)
      const body: Succession = { entry, configFile: files.config, stderrFile: files.stderr }
      const identity = (await this.#call('POST', '/successor', { body, timeoutMs: successionMs })) as ProcessIdentity
      const leaving = { name: this.#name, process: old }
      this.#take({ name, process: adoptProcess(identity) })
      this.#other = leaving
      this.#around.note('GatewayReplaced', `process ${identity.pid} took over from process ${old.identity.pid}`)
      this.#answers = true
    } catch (error) {
      // A gateway that was killed in the middle of it may have left one that goes on alone.
      const identity = findProcesses(this.#around.paths).find((found) => found.name === name)?.identity
      if (identity !== undefined) this.#other = { name, process: adoptProcess(identity) }
      throw error
    } finally {
      this.#replacing = false
      this.#around.wake()
    }
  }

  async readTraffic(): Promise<readonly GatewayRouteStatus[]> {
    this.#traffic = (await this.#call('GET', '/routes')) as GatewayRouteStatus[]
    return this.#traffic
  }

  stop(): void {
    this.#stopping = true
    this.#process?.signal('SIGTERM')
    this.#other?.process.signal('SIGTERM')
  }

  kill(): void {
    this.#process?.signal('SIGKILL')
    this.#other?.process.signal('SIGKILL')
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
    const { paths, wake } = this.#around
    // After a restart the gateway serves from its file at once. At the first start such a file is from another time.
    if (this.generation === 0) rmSync(this.#routesFile, { force: true })
    this.#configure(this.#name)
    this.#startedMs = nowMs
    this.#misses = 0
    this.#nextCheckMs = nowMs
    this.generation++
    this.#process = launchProcess({
      entry: gatewayEntry,
      nodeFlags: gatewayNodeFlags,
      configFile: this.files.config,
      stderrFile: this.files.stderr,
      cwd: paths.projectDir,
      env: childEnv(process.env, []),
      onExit: wake,
    })
    this.#update({ identity: this.#process.identity })
    this.#around.note('GatewayStarted', `process ${this.#process.identity.pid}`)
  }

  #configure(name: GatewayName): void {
    const { paths, clock, leaseMs } = this.#around
    const { config, log, announce, lease } = processFiles(paths, name)
    const content: GatewayConfig = {
      controlSocket: this.#socketOf(name),
      logFile: log,
      announceFile: announce,
      routesFile: this.#routesFile,
      lease: { file: lease, leaseMs },
      drainTimeoutMs,
    }
    writeFileAtomic(config, JSON.stringify(content))
    renewLease(lease, clock.nowMs())
  }

  #take({ name, process }: OtherGateway): void {
    this.#name = name
    this.#process = process
    this.#startedMs = this.#around.clock.monotonicMs()
    this.#misses = 0
    this.generation++
    this.#update({ identity: process.identity })
  }

  #stateOf({ name, process }: OtherGateway): GatewayAnnouncement['state'] | undefined {
    const { announce } = processFiles(this.#around.paths, name)
    return (readAnnouncement(announce, process.identity) as GatewayAnnouncement | undefined)?.state
  }

  /** True when the other one serves, or is about to. */
  #takeOther(): boolean {
    const other = this.#other
    if (other === undefined) return false
    const state = this.#stateOf(other)
    if (state !== 'Serving') return state !== 'Draining'
    this.#other = undefined
    this.#take(other)
    return true
  }

  #ended(nowMs: number): void {
    const exit = this.#process?.exit()
    if (!this.#stopping && exit !== undefined)
      this.#around.note('GatewayEnded', `it ended by itself: ${renderExit(exit)}`)
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
    { body, timeoutMs = callMs, to = this.#name }: { body?: unknown; timeoutMs?: number; to?: GatewayName } = {},
  ): Promise<unknown> {
    const answer = await requestJson({ socketPath: this.#socketOf(to), method, path, body, timeoutMs })
    if (answer.status !== 200) throw readControlError(answer, `${method} ${path} at the gateway`)
    return answer.body
  }

  #socketOf(name: GatewayName): string {
    return join(this.#around.paths.run, `${name}.sock`)
  }

  async #remove(service: string, to: GatewayName): Promise<void> {
    try {
      await this.#call('DELETE', `/routes/${service}`, { timeoutMs: drainTimeoutMs + callMs, to })
    } catch (error) {
      if (!(error instanceof TowlineError) || error.code !== 'TL_SERVICE_UNKNOWN') throw error
    }
  }

  #update(change: Partial<GatewayRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#around.save(this.#record)
  }
}

function otherName(name: GatewayName): GatewayName {
  return name === gatewayNames[0] ? gatewayNames[1] : gatewayNames[0]
}

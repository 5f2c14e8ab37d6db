import { rmSync } from 'node:fs'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { readAnnouncement } from '../../base/process/announcement.ts'
import { beside } from '../../base/process/beside.ts'
import type { Clock } from '../../base/clock.ts'
import { formatMs } from '../../base/display.ts'
import { renderDuration } from '../../base/duration.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { renewLease } from '../../base/process/lease.ts'
import type { ProcessIdentity } from '../../base/process/process-identity.ts'
import { type ProbeState, defaultProbeLimits, foldProbe } from '../../decide/probe.ts'
import type { ReplicaObservation } from '../../decide/replicas.ts'
import { decideRestart, longestRestartWaitMs } from '../../decide/restart.ts'
import type { ReplicaAnnouncement } from '../../serve/replica-config.ts'
import { childEnv } from '../child-env.ts'
import { type ExplainedExit, explainExit } from './exit-reason.ts'
import { boundStderr, readTail } from '../log-files.ts'
import { outOfMemory, readResidentBytes } from './memory.ts'
import { type ProcessFiles, type ProjectPaths, processFiles } from '../paths.ts'
import { probeReplica } from './prober.ts'
import type { ReplicaRecord, RevisionRecord } from '../state/records.ts'
import { createReplicaConfig, drainOf } from './replica-config-file.ts'
import { SmokeGate } from './smoke.ts'
import type { EventLog } from '../state/events.ts'
import type { FailureStatus, ReplicaStatus } from '../service-status.ts'
import { type SupervisedProcess, adoptProcess, launchProcess, renderExit } from '../supervised-process.ts'

export interface ReplicaSurroundings {
  readonly paths: ProjectPaths
  readonly clock: Clock
  readonly host: string
  readonly leaseMs: number
  readonly save: (record: ReplicaRecord) => void
  readonly note: EventLog['note']
  /** Off: whoever is to end is killed at once. For the proof that draining is what keeps requests. */
  readonly drains: boolean
  /** Something happened: look again soon. */
  readonly wake: () => void
}

const startingProbeMs = 100
const steadyProbeMs = 1000
/** After a miss it is asked again sooner. */
const doubtProbeMs = 250
const careMs = 1000
/** Its 1024 connections, those of its metrics, and plenty for the model's own files. */
const replicaLimits = { openFiles: 4096 } as const

type Serving = Extract<ReplicaAnnouncement, { state: 'Serving' }>

/** One place among a service's replicas, with the process that fills it for now. */
export class Replica {
  readonly files: ProcessFiles
  /** As the gateway last confirmed it. */
  inRoute = false
  #record: ReplicaRecord
  readonly #revision: RevisionRecord
  readonly #around: ReplicaSurroundings
  #process: SupervisedProcess | undefined
  #announced: Serving | undefined
  #probe: ProbeState = { phase: 'Starting', sinceMs: 0 }
  #probing = false
  #nextProbeMs = 0
  #nextCareMs = 0
  #readySinceMs: number | undefined
  #draining = false
  #drainingSinceMs = 0
  /** By this engine, after its grace. */
  #killed = false
  #dueMs = 0
  /** Why this engine ends the process, when it is the one to do so. */
  #cause: ExplainedExit | undefined
  /** Of this process: it gets no requests before they are answered. */
  #smoke = new SmokeGate(false)

  constructor(record: ReplicaRecord, revision: RevisionRecord, around: ReplicaSurroundings) {
    this.#record = record
    this.#revision = revision
    this.#around = around
    this.files = processFiles(around.paths, record.name)
    const aheadMs = (record.nextStartAtMs ?? 0) - around.clock.nowMs()
    this.#dueMs = around.clock.monotonicMs() + Math.min(Math.max(0, aheadMs), longestRestartWaitMs)
  }

  get name(): string {
    return this.#record.name
  }

  get record(): ReplicaRecord {
    return this.#record
  }

  get serving(): Serving | undefined {
    return this.#announced
  }

  start(): void {
    const { clock, paths, leaseMs, host, wake } = this.#around
    const { service, modelPath } = this.#revision
    const first = this.#record.startedAtMs === null
    this.#probe = { phase: 'Starting', sinceMs: clock.monotonicMs() }
    this.#announced = undefined
    this.#readySinceMs = undefined
    this.#draining = false
    this.#killed = false
    this.#cause = undefined
    this.#smoke = new SmokeGate(this.#needsSmoke())
    this.#update({
      identity: null,
      startedAtMs: clock.nowMs(),
      nextStartAtMs: null,
      restarts: this.#record.restarts + (first ? 0 : 1),
    })
    try {
      const lease = { file: this.files.lease, leaseMs }
      const config = createReplicaConfig({ record: this.#record, service, modelPath, files: this.files, host, lease })
      writeFileAtomic(this.files.config, JSON.stringify(config), 0o600)
      rmSync(this.files.announce, { force: true })
      renewLease(this.files.lease, clock.nowMs())
      this.#process = launchProcess({
        entry: beside(import.meta.url, '../../serve/replica-process'),
        configFile: this.files.config,
        stderrFile: this.files.stderr,
        cwd: paths.projectDir,
        env: childEnv(process.env, service.env),
        limits: replicaLimits,
        onExit: wake,
      })
    } catch (error) {
      // A full disk, a removed folder: tried again later, like any other failure of this replica.
      const known = error instanceof TowlineError || hasErrno(error, 'ENOSPC', 'EDQUOT', 'ENOENT', 'EACCES', 'EROFS')
      if (!known || !(error instanceof Error)) throw error
      this.#fail({ failure: this.#failure('NotStarted', error.message, null), hopeless: false })
      return
    }
    this.#update({ identity: this.#process.identity })
    this.#note('Started', `process ${this.#process.identity.pid}${first ? '' : ', in place of one that ended'}`)
  }

  /** Takes over a process that an earlier engine had started. One that served is trusted until its probes say otherwise. */
  adopt(identity: ProcessIdentity): void {
    const nowMs = this.#around.clock.monotonicMs()
    this.#process = adoptProcess(identity)
    this.#probe = { phase: 'Starting', sinceMs: nowMs }
    this.#smoke = new SmokeGate(this.#needsSmoke())
    this.#readAnnouncement()
    if (this.#announced !== undefined && this.#record.proven) {
      this.#probe = { phase: 'Ready', sinceMs: nowMs, unready: 0, dead: 0 }
      this.#readySinceMs = nowMs
    }
    this.#update({ identity })
  }

  /** The process of the record ended while no engine looked. */
  miss(): void {
    this.#ended(adoptProcess(this.#record.identity ?? { pid: 0, startTicks: 0 }))
  }

  look(nowMs: number): void {
    const process = this.#process
    if (process === undefined) return
    if (process.exit() !== undefined) return this.#ended(process)
    if (this.#draining) return
    if (this.#announced === undefined) this.#readAnnouncement()
    if (nowMs >= this.#nextCareMs) {
      this.#nextCareMs = nowMs + careMs
      this.#watchMemory(process)
      boundStderr(this.files.stderr)
    }
    if (this.#announced === undefined) this.#fold({ live: false, ready: false })
    else if (!this.#probing && nowMs >= this.#nextProbeMs) void this.#ask(process, this.#announced.port)
  }

  renewLease(): void {
    if (this.#process !== undefined) renewLease(this.files.lease, this.#around.clock.nowMs())
  }

  retire(): void {
    this.#update({ ending: 'Retire' })
  }

  /** This engine ends, and the process lives on. */
  letGo(): void {
    this.#smoke.stop()
  }

  drain(): void {
    this.#smoke.stop()
    const { graceMs } = drainOf(this.#revision.service)
    this.#draining = true
    this.#drainingSinceMs = this.#around.clock.monotonicMs()
    this.#dueMs = this.#drainingSinceMs + graceMs
    this.#note('Draining', `it was told to end and has up to ${renderDuration(graceMs)}`)
    this.#process?.signal(this.#around.drains ? 'SIGTERM' : 'SIGKILL')
  }

  kill(): void {
    if (!this.#killed) {
      const { graceMs } = drainOf(this.#revision.service)
      this.#note('Killed', `it hung: it had not ended ${renderDuration(graceMs)} after it was told to`)
    }
    this.#killed = true
    this.#process?.signal('SIGKILL')
  }

  /** Small files only: the logs stay until they are pruned. */
  forget(): void {
    for (const file of [this.files.config, this.files.announce, this.files.lease]) rmSync(file, { force: true })
  }

  observe(): ReplicaObservation {
    const { name, revision, ending, startedAtMs, proven, failures, hopeless } = this.#record
    return {
      name,
      revision,
      phase: this.#phase(),
      inRoute: this.inRoute,
      ending,
      startedAtMs: startedAtMs ?? 0,
      dueAtMs: this.#dueMs,
      proven,
      failures,
      hopeless,
    }
  }

  /** When it last became ready or ceased to be, by the wall clock. */
  readinessSinceMs(): number {
    const { clock } = this.#around
    return clock.nowMs() - (clock.monotonicMs() - this.#probe.sinceMs)
  }

  status(): ReplicaStatus {
    const { name, revision, ending, startedAtMs, restarts, nextStartAtMs, lastFailure } = this.#record
    return {
      name,
      revision,
      // Its end is decided, and the gateway is about to hear of it: nobody should count on it any more.
      phase: ending === 'Retire' && this.#process !== undefined ? 'Draining' : this.#phase(),
      pid: this.#process?.identity.pid ?? null,
      port: this.#announced?.port ?? null,
      metricsPort: this.#announced?.metricsPort ?? null,
      startedAtMs,
      warmupMs: this.#announced?.warmupMs ?? null,
      restarts,
      nextStartAtMs,
      lastFailure: lastFailure ?? this.#cause?.failure ?? null,
    }
  }

  #phase(): ReplicaStatus['phase'] {
    if (this.#process === undefined) return 'Waiting'
    if (this.#draining) return 'Draining'
    if (this.#probe.phase === 'Failed') return 'Unready'
    return this.#smoke.passed ? this.#probe.phase : 'Starting'
  }

  /** Only what has never served is tried: the files may be gone by the time a proven replica starts again. */
  #needsSmoke(): boolean {
    return !this.#revision.proven && !this.#record.proven && this.#revision.service.rollout.smoke.length > 0
  }

  #readAnnouncement(): void {
    const identity = this.#process?.identity
    if (identity === undefined) return
    const announced = readAnnouncement(this.files.announce, identity) as ReplicaAnnouncement | undefined
    if (announced?.state === 'Serving') this.#announced = announced
  }

  async #ask(process: SupervisedProcess, port: number): Promise<void> {
    this.#probing = true
    const answer = await probeReplica(this.#around.host, port)
    this.#probing = false
    const doubtMs = this.#probe.phase === 'Starting' ? startingProbeMs : doubtProbeMs
    this.#nextProbeMs = this.#around.clock.monotonicMs() + (answer.live && answer.ready ? steadyProbeMs : doubtMs)
    // The answer may be about a process that is no longer the one in this place.
    if (this.#process !== process || this.#draining) return
    this.#fold(answer)
  }

  #fold(answer: { live: boolean; ready: boolean }): void {
    const atMs = this.#around.clock.monotonicMs()
    const before = this.#probe
    const { startupTimeoutMs } = this.#revision.service.lifecycle
    this.#probe = foldProbe(before, { atMs, ...answer }, { startupTimeoutMs, ...defaultProbeLimits })
    if (this.#probe.phase === before.phase) return
    if (this.#probe.phase === 'Ready') {
      if (this.#smoke.passed) this.#becomeReady()
      else if (this.#smoke.due) void this.#runSmoke(this.#smoke)
    }
    if (this.#probe.phase === 'Unready') this.#note('Unready', 'its readiness probe failed: it gets no requests')
    if (this.#probe.phase === 'Failed') {
      const message =
        this.#probe.reason === 'StartupTimeout'
          ? `it was not ready within ${startupTimeoutMs} ms`
          : `it answered no liveness probe, ${defaultProbeLimits.deadAfter} times in a row`
      const hint = this.#probe.reason === 'StartupTimeout' ? 'raise lifecycle.startupTimeout if it needs longer' : null
      this.#restartFor({ failure: this.#failure(this.#probe.reason, message, hint), hopeless: false })
    }
    this.#around.wake()
  }

  #becomeReady(): void {
    this.#readySinceMs ??= this.#around.clock.monotonicMs()
    if (!this.#record.proven) this.#update({ proven: true })
    const { warmupMs } = this.#announced ?? {}
    this.#note('Ready', warmupMs === undefined ? 'it serves' : `it serves; its warm-up took ${formatMs(warmupMs)}`)
  }

  async #runSmoke(gate: SmokeGate): Promise<void> {
    const { host, clock, wake } = this.#around
    const base = `http://${host}:${this.#announced?.port ?? 0}`
    const failure = await gate.ask(this.#revision.service, base, () => clock.nowMs())
    if (failure === undefined) return
    if (failure !== null) this.#restartFor({ failure, hopeless: true })
    else {
      this.#note('SmokePassed', 'it answered its smoke requests as it should')
      if (this.#probe.phase === 'Ready') this.#becomeReady()
    }
    wake()
  }

  #watchMemory({ identity }: SupervisedProcess): void {
    const limitBytes = this.#revision.service.resources.memoryBytes
    const usedBytes = readResidentBytes(identity.pid)
    if (limitBytes === undefined || usedBytes === undefined || usedBytes <= limitBytes) return
    this.#restartFor({ failure: outOfMemory(usedBytes, limitBytes, this.#around.clock.nowMs()), hopeless: false })
  }

  #restartFor(cause: ExplainedExit): void {
    if (this.#record.ending !== null) return
    this.#cause = cause
    this.#update({ ending: 'Restart' })
  }

  #ended(process: SupervisedProcess): void {
    this.#smoke.stop()
    const { ending } = this.#record
    if (ending === 'Retire') {
      const drainedMs = this.#around.clock.monotonicMs() - this.#drainingSinceMs
      if (!this.#killed)
        this.#note(
          'Ended',
          `after ${formatMs(drainedMs)} of draining (${renderExit(process.exit() ?? { kind: 'Unseen' })})`,
        )
      this.#process = undefined
      this.#update({ identity: null })
      return
    }
    const announcement = readAnnouncement(this.files.announce, process.identity) as ReplicaAnnouncement | undefined
    const explained: ExplainedExit =
      this.#cause === undefined
        ? explainExit({
            exit: process.exit() ?? { kind: 'Unseen' },
            announcement,
            stderrTail: readTail(this.files.stderr),
            logFile: this.files.log,
            atMs: this.#around.clock.nowMs(),
          })
        : this.#cause
    this.#fail(explained)
  }

  #fail({ failure: found, hopeless }: ExplainedExit): void {
    const { modelPath, service } = this.#revision
    // People know the file that they wrote, not the copy that belongs to the revision.
    const failure = { ...found, message: found.message.replaceAll(modelPath, service.model.path) }
    const nowMs = this.#around.clock.monotonicMs()
    const readyMs = this.#readySinceMs === undefined ? 0 : nowMs - this.#readySinceMs
    const { waitMs, failuresInRow } = decideRestart({ failuresInRow: this.#record.failures, readyMs, hopeless })
    this.#note(failure.reason, failure.message)
    this.#process = undefined
    this.#announced = undefined
    this.#dueMs = nowMs + waitMs
    this.#update({
      identity: null,
      ending: this.#record.ending === 'Retire' ? 'Retire' : null,
      failures: failuresInRow,
      hopeless,
      lastFailure: failure,
      nextStartAtMs: this.#around.clock.nowMs() + waitMs,
    })
  }

  #failure(reason: string, message: string, hint: string | null): FailureStatus {
    return { reason, message, hint, atMs: this.#around.clock.nowMs() }
  }

  #note(reason: string, message: string): void {
    this.#around.note({ service: this.#record.service, replica: this.#record.name, reason, message })
  }

  #update(change: Partial<ReplicaRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#around.save(this.#record)
  }
}

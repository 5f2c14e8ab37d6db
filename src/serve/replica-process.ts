/** One replica as a process of its own. The only argument is the path of its `ReplicaConfig`. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { writeFileAtomic } from '../base/file/atomic-file.ts'
import { systemClock } from '../base/clock.ts'
import { TowlineError } from '../base/errors.ts'
import { leaseLapsed } from '../base/process/lease.ts'
import { identifyProcess } from '../base/process/process-identity.ts'
import { readVersion } from '../base/process/version.ts'
import { openLog } from '../observe/log.ts'
import { openReplica } from './replica.ts'
import type { ReplicaAnnouncement, ReplicaConfig } from './replica-config.ts'

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ReplicaConfig // written by the supervisor
const { service, replica = hostname(), revision } = config
const log = openLog({ file: config.logFile, fields: { service, replica, revision } })
const identity = identifyProcess(process.pid) ?? { pid: process.pid, startTicks: 0 }

/** A state that is no part of any plan: the supervisor starts a new process, which is the recovery. */
function crash(reason: string, error: unknown): never {
  log.to.fatal({ err: error }, reason)
  log.close()
  // Not process.exit: a run inside native code would turn it into an abort with a core dump, and this is as final.
  process.kill(process.pid, 'SIGKILL')
  throw error
}

process.on('uncaughtException', (error) => crash('a bug ended this replica', error))
process.on('unhandledRejection', (error) => crash('a bug ended this replica', error))

const stop = Promise.withResolvers<string>()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.resolve(signal))

announce({ ...identity, state: 'Starting' })
try {
  const opened = await openReplica(config, {
    log,
    version: readVersion(),
    onWorkerLost: (error) => crash('a model thread was lost', error),
  })
  const { port, metricsPort, model } = opened
  announce({ ...identity, state: 'Serving', port, metricsPort, warmupMs: model.runtime.warmupMs, model: model.print })
  log.to.info({ port, metricsPort, warmupMs: Math.round(model.runtime.warmupMs) }, 'ready')
  const ended = new AbortController()
  if (config.lease !== undefined) {
    const { file, leaseMs } = config.lease
    leaseLapsed(file, leaseMs, systemClock, ended.signal).then(
      () => stop.resolve(`nobody renewed the lease for ${leaseMs} ms`),
      () => undefined,
    )
  }
  const reason = await stop.promise
  log.to.info({ reason }, 'draining')
  await opened.close()
  ended.abort()
  log.to.info('drained')
  log.close()
  process.exit(0)
} catch (error) {
  if (!(error instanceof TowlineError)) crash('a bug ended this replica', error)
  log.to.error({ code: error.code, hint: error.hint }, error.message)
  announce({
    ...identity,
    state: 'Failed',
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
  log.close()
  process.exit(1)
}

function announce(announcement: ReplicaAnnouncement): void {
  if (config.announceFile !== undefined) writeFileAtomic(config.announceFile, JSON.stringify(announcement))
}

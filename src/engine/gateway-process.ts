import { readFileSync } from 'node:fs'
import { writeFileAtomic } from '../base/file/atomic-file.ts'
import { systemClock } from '../base/clock.ts'
import { TowlineError } from '../base/errors.ts'
import { leaseLapsed } from '../base/process/lease.ts'
import { identifyProcess } from '../base/process/process-identity.ts'
import { openLog } from '../observe/log.ts'
import type { GatewayAnnouncement, GatewayConfig } from './gateway/gateway-config.ts'
import { parseConfig } from './gateway/gateway-form.ts'
import { openGateway } from './gateway/gateway.ts'
import { connectPredecessor } from './gateway/handover.ts'

/** `gateway-process CONFIG`: serves until SIGTERM or until its lease lapses, then drains and exits with 0. */
async function runGateway(configFile: string): Promise<void> {
  const config = parseConfig(JSON.parse(readFileSync(configFile, 'utf8')))
  const log = openLog({ file: config.logFile, fields: { process: 'gateway', pid: process.pid } })
  try {
    announce(config, 'Starting')
    const stop = new AbortController()
    // Once each: the same signal again ends the process on the spot.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(signal))
    const predecessor = connectPredecessor(process)
    const gateway = await openGateway(config, log.to, predecessor)
    announce(config, 'Serving')
    predecessor?.leave()
    log.to.info('serving')
    const succeeded = gateway.succeeded.then(() => 'another gateway has taken over')
    const reason = await Promise.race([waitForEnd(config, stop.signal), succeeded])
    announce(config, 'Draining')
    log.to.info({ reason }, 'draining')
    await gateway.close()
    stop.abort()
    log.to.info('drained')
  } catch (error) {
    log.to.error({ err: error }, 'the gateway failed')
    throw error
  } finally {
    log.close()
  }
}

async function waitForEnd({ lease }: GatewayConfig, signal: AbortSignal): Promise<string> {
  try {
    await leaseLapsed(lease.file, lease.leaseMs, systemClock, signal)
    return `no engine renewed the lease for ${lease.leaseMs} ms`
  } catch (error) {
    if (signal.aborted) return String(signal.reason)
    throw error
  }
}

function announce({ announceFile }: GatewayConfig, state: GatewayAnnouncement['state']): void {
  const identity = identifyProcess(process.pid)
  if (identity === undefined) throw new TowlineError('TL_PLATFORM', 'this process is not listed in /proc')
  const announcement: GatewayAnnouncement = { ...identity, state }
  writeFileAtomic(announceFile, JSON.stringify(announcement))
}

const configFile = process.argv[2]
if (configFile === undefined) throw new TowlineError('TL_USAGE', 'gateway-process needs the path of its configuration')
await runGateway(configFile)

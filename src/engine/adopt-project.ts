import type { Logger } from 'pino'
import { findProcesses } from './adoption.ts'
import { type GatewayHands, gatewayNames } from './gateway-hands.ts'
import type { ProjectPaths } from './paths.ts'
import type { Records } from './state/records.ts'
import { ServiceHands, type ServiceSurroundings } from './service-hands.ts'
import { sendSignal } from './supervised-process.ts'

export interface Adoption {
  readonly paths: ProjectPaths
  readonly records: Records
  readonly gateway: GatewayHands
  readonly around: ServiceSurroundings
  readonly log: Logger
}

/**
 * Takes over what an earlier engine left running, by its state and the kernel's list of processes. What runs but is in no
 * state is told to end; what is in the state but runs no longer is started again.
 */
export function adoptProject({ paths, records, gateway, around, log }: Adoption): ServiceHands[] {
  const found = new Map(findProcesses(paths).map(({ name, identity }) => [name, identity]))
  gateway.adopt(found)
  for (const name of gatewayNames) found.delete(name)

  const services = records.services.list().map((record) => new ServiceHands(record, around))
  for (const record of records.replicas.list()) {
    const replica = services.find((hands) => hands.record.name === record.service)?.addReplica(record)
    if (replica === undefined) {
      records.replicas.delete(record.name)
      continue
    }
    const identity = found.get(record.name)
    found.delete(record.name)
    if (identity !== undefined) replica.adopt(identity)
    else if (record.nextStartAtMs === null) replica.miss()
    log.info({ replica: record.name, pid: identity?.pid ?? null }, identity === undefined ? 'gone' : 'adopted')
  }

  for (const [name, identity] of found) {
    log.warn({ process: name, pid: identity.pid }, 'in no state: told to end')
    sendSignal(identity, 'SIGTERM')
  }
  return services
}

import { TowlineError } from '../base/errors.ts'
import type { Service } from '../spec/service.ts'
import { type RevisionRecord, type ServiceRecord, countDesired, findWanted } from './state/records.ts'
import { ServiceHands, type ServiceSurroundings } from './service-hands.ts'

export interface Application {
  readonly service: Service
  /** Absolute path of the file it came from. */
  readonly file: string
  /** Equal for equal specs with equal model files. */
  readonly hash: string
  /** 0: any free one. Absent: the one it has, or the first free one from 8080. */
  readonly port?: number
}

export interface ApplyTo {
  readonly services: Map<string, ServiceHands>
  readonly around: ServiceSurroundings
}

const host = '127.0.0.1'
const firstPort = 8080
const lastPort = 8099

/** Opens the port first, so that a taken one changes nothing; then the record is written, and the next look acts on it. */
export async function applyService(application: Application, { services, around }: ApplyTo): Promise<ServiceHands> {
  const { service, port: asked } = application
  const known = services.get(service.name)
  if (known === undefined) {
    const hands = new ServiceHands(firstRecord(application), around)
    const taken = new Set([...services.values()].map(({ record }) => record.port))
    const port = await openPort(hands, around, asked === undefined ? freePorts(taken) : [asked])
    try {
      hands.change({ port })
    } catch (error) {
      await around.gateway.remove(service.name)
      throw error
    }
    services.set(service.name, hands)
    return hands
  }
  const port = asked ?? known.record.port
  const opened = port === known.record.port ? port : await openPort(known, around, [port])
  known.change({ ...nextRecord(known.record, application), port: opened })
  known.expectChange()
  return known
}

function firstRecord({ service, file, hash }: Application): ServiceRecord {
  return {
    name: service.name,
    file,
    host,
    port: 0,
    target: 1,
    revisions: [{ number: 1, hash, service }],
    rejected: null,
    stopping: false,
    scale: null,
    lastFailure: null,
  }
}

/** The same hash is the same revision, also one that is just being replaced; asking again for a rejected one is a new try. */
export function nextRecord(record: ServiceRecord, { service, file, hash }: Application): Partial<ServiceRecord> {
  const scale = carryScale(record, service)
  const equal = record.revisions.filter(
    (revision) => revision.hash === hash && revision.number !== record.rejected?.revision,
  )
  const same = equal.find(({ number }) => number === record.target) ?? equal[0]
  // Fields that need no new revision, such as the number of replicas, are taken in place.
  if (same !== undefined) {
    const revisions = record.revisions.map((revision) => (revision === same ? { ...revision, service } : revision))
    return { file, target: same.number, revisions, rejected: null, scale, lastFailure: null }
  }
  const added: RevisionRecord = { number: nextNumber(record), hash, service }
  const revisions = [...record.revisions, added]
  return { file, target: added.number, revisions, rejected: null, scale, lastFailure: null }
}

function nextNumber({ rejected, revisions }: ServiceRecord): number {
  return Math.max(rejected?.revision ?? 0, ...revisions.map(({ number }) => number)) + 1
}

/** The same spec as a new revision: its replicas replace the present ones as in any change. */
export function restartRecord(record: ServiceRecord): Partial<ServiceRecord> {
  const added: RevisionRecord = { ...findWanted(record), number: nextNumber(record) }
  return { target: added.number, revisions: [...record.revisions, added], rejected: null, lastFailure: null }
}

/** A size set by hand. An autoscaler goes on from there; from 0 it does not, unless 0 is its least. TL_REQUEST_INVALID out of its bounds. */
export function scaleRecord(record: ServiceRecord, replicas: number, nowMs: number): Partial<ServiceRecord> {
  const { autoscaling } = findWanted(record).service
  if (autoscaling !== undefined && replicas !== 0) {
    const { minReplicas, maxReplicas } = autoscaling
    if (replicas < minReplicas || replicas > maxReplicas)
      throw new TowlineError(
        'TL_REQUEST_INVALID',
        `autoscaling keeps ${record.name} between ${minReplicas} and ${maxReplicas}, not ${replicas}`,
        {
          hint: 'change minReplicas or maxReplicas in the spec',
        },
      )
  }
  const autoscaler = record.scale?.autoscaler ?? null
  return { scale: { replicas, reason: 'set by hand', changedAtMs: nowMs, autoscaler } }
}

/** A fixed number in the spec counts from now on; an autoscaler goes on from what there is, never from the default. */
function carryScale(record: ServiceRecord, { autoscaling }: Service): ServiceRecord['scale'] {
  if (autoscaling === undefined) return null
  const { scale } = record
  if (scale !== null && scale.autoscaler !== null) return scale
  const replicas = Math.max(countDesired(record), autoscaling.minReplicas)
  return { replicas, reason: 'as many as there were', changedAtMs: null, autoscaler: null }
}

function freePorts(taken: ReadonlySet<number>): number[] {
  return Array.from({ length: lastPort - firstPort + 1 }, (_, index) => firstPort + index).filter(
    (port) => !taken.has(port),
  )
}

async function openPort(
  hands: ServiceHands,
  { gateway }: ServiceSurroundings,
  candidates: readonly number[],
): Promise<number> {
  const routed = [...hands.replicas.values()].filter(({ inRoute }) => inRoute)
  for (const candidate of candidates) {
    try {
      const { port } = await gateway.put(hands.createRoute(routed, candidate))
      hands.noteRoute()
      return port
    } catch (error) {
      const tryNext = error instanceof TowlineError && error.code === 'TL_PORT_TAKEN' && candidates.length > 1
      if (!tryNext) throw error
    }
  }
  throw new TowlineError('TL_PORT_TAKEN', `${host}:${firstPort} to ${lastPort} are all in use`, {
    hint: 'choose another with --port, or --port 0 for any free one',
  })
}

import { TowlineError } from '../base/errors.ts'
import type { Service } from '../spec/service.ts'
import type { KeptModel } from './model-store.ts'
import { type RevisionRecord, type ServiceRecord, countDesired } from './state/records.ts'
import { ServiceHands, type ServiceSurroundings } from './service-hands.ts'

export interface Application {
  readonly service: Service
  /** Absolute path of the file it came from. */
  readonly file: string
  /** The overlay it was applied with; null: none. */
  readonly environment: string | null
  /** 0: any free one. Absent: the one it has, or the first free one from 8080. */
  readonly port?: number
}

/** With its model kept: what a revision is made of. */
export interface AdmittedApplication extends Application {
  /** Equal for equal specs with equal model files. */
  readonly hash: string
  readonly model: KeptModel
}

export interface ApplyTo {
  readonly services: Map<string, ServiceHands>
  readonly around: ServiceSurroundings
}

const host = '127.0.0.1'
const firstPort = 8080
const lastPort = 8099

/** Opens the port first, so that a taken one changes nothing; then the record is written, and the next look acts on it. */
export async function applyService(
  application: AdmittedApplication,
  { services, around }: ApplyTo,
): Promise<ServiceHands> {
  const { service, port: asked } = application
  const known = services.get(service.name)
  if (known === undefined) {
    const hands = new ServiceHands(firstRecord(application, around.clock.nowMs()), around)
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
  // What is refused opens no port.
  nextRecord(known.record, application, around.clock.nowMs())
  const port = asked ?? known.record.port
  const opened = port === known.record.port ? port : await openPort(known, around, [port])
  if (known.record.stopping)
    throw new TowlineError('TL_NOT_READY', `${service.name} is being taken down`, { hint: 'try again in a moment' })
  // Only now: orders, and the rollout itself, may have changed the record while the port was opened.
  known.change({ ...nextRecord(known.record, application, around.clock.nowMs()), port: opened })
  known.expectChange()
  return known
}

function firstRecord(application: AdmittedApplication, nowMs: number): ServiceRecord {
  const { service, file, environment } = application
  return {
    name: service.name,
    file,
    host,
    port: 0,
    environment,
    applied: service,
    target: 1,
    stable: 1,
    revisions: [createRevision(1, application, nowMs)],
    rollout: null,
    warm: [],
    history: [],
    rejected: null,
    stopping: false,
    scale: null,
    lastFailure: null,
  }
}

function createRevision(number: number, { hash, service, model }: AdmittedApplication, nowMs: number): RevisionRecord {
  return { number, hash, service, modelDigest: model.digest, modelPath: model.path, createdAtMs: nowMs, proven: false }
}

/**
 * The same hash is the same revision, also one that is just being replaced. A rejected one is not tried again before the
 * spec changes or somebody says so: TL_ROLLOUT_REJECTED.
 */
export function nextRecord(
  record: ServiceRecord,
  application: AdmittedApplication,
  nowMs: number,
): Partial<ServiceRecord> {
  const { service, file, hash, environment } = application
  const { rejected, revisions, target, stable, rollout } = record
  const leaving = rollout?.state.position
  const candidate = revisions.find(({ number: known }) => known === rollout?.plan.candidate)
  if (leaving?.phase === 'Aborting' && leaving.cause.reason !== 'Superseded' && candidate?.hash === hash)
    throw rejection(record, candidate.number, leaving.cause.message)
  const inPlace = { file, environment, applied: service, scale: carryScale(record, service), lastFailure: null }
  const candidates = [target, stable, ...(rollout === null ? [] : [rollout.plan.candidate])]
  const same = candidates
    .map((number) => revisions.find((revision) => revision.number === number))
    .find((revision) => revision?.hash === hash)
  // Fields that need no new revision, such as the number of replicas, are taken in place.
  if (same !== undefined) return { ...inPlace, target: same.number, rejected: null }
  if (rejected?.hash === hash) throw rejection(record, rejected.revision, rejected.cause.message)
  const number = nextNumber(record)
  const added = createRevision(number, application, nowMs)
  return { ...inPlace, target: number, revisions: [...revisions, added], rejected: null }
}

function rejection({ name }: ServiceRecord, revision: number, why: string): TowlineError {
  return new TowlineError('TL_ROLLOUT_REJECTED', `revision ${revision}, and nothing changed since: ${why}`, {
    hint: `change the spec or the model, or \`towline retry ${name}\` tries the same again`,
  })
}

export function nextNumber({ revisions, history }: ServiceRecord): number {
  return Math.max(...history.map(({ to }) => to), ...revisions.map(({ number }) => number)) + 1
}

/** A size set by hand. An autoscaler goes on from there; from 0 it does not, unless 0 is its least. TL_REQUEST_INVALID out of its bounds. */
export function scaleRecord(record: ServiceRecord, replicas: number, nowMs: number): Partial<ServiceRecord> {
  // A canary never goes below what there was at its start, so it would be an order that nobody follows.
  if (replicas === 0 && record.rollout?.plan.kind === 'Canary')
    throw new TowlineError(
      'TL_ROLLOUT_REFUSED',
      `a canary to revision ${record.rollout.plan.candidate} goes on, and needs replicas to compare`,
      {
        hint: `\`towline abort ${record.name}\` first, or \`towline down ${record.name}\``,
      },
    )
  const { autoscaling } = record.applied
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

/** What a person set stays until the spec has another number; an autoscaler goes on from what there is, never from the default. */
function carryScale(record: ServiceRecord, { autoscaling, replicas: written }: Service): ServiceRecord['scale'] {
  const { scale, applied } = record
  if (autoscaling === undefined) {
    const isSameNumber = applied.autoscaling === undefined && applied.replicas === written
    return isSameNumber ? scale : null
  }
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

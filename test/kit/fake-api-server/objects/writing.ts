import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../../src/base/clock.ts'
import { newShortId } from '../../../../src/base/id.ts'
import { takeChanges } from '../ownership/apply.ts'
import { type Manager, type Ownership, readOwnership, writeOwnership } from '../ownership/managers.ts'
import { fillDefaults } from './defaults.ts'
import type { Kind } from './kind.ts'
import { canonicalize } from './canonical-form.ts'
import { changedMeanwhile, conflict, invalid } from './status-failure.ts'
import { type JsonObject, type StoredMeta, type StoredObject, isSameJson, objectAt, textOf } from './stored-object.ts'
import { validate } from './validation.ts'

export interface WriteContext {
  readonly clock: Clock
  /** The next free address of a Service. */
  readonly allocateAddress: () => string
  readonly manager: Manager
  /** What an apply says of who owns what; absent: what changes is the manager's. */
  readonly ownership?: Ownership
}

/** Seconds, as the server writes times. */
export function renderTime(clock: Clock, laterSeconds = 0): string {
  return `${new Date(clock.nowMs() + laterSeconds * 1000).toISOString().slice(0, 19)}Z`
}

/** A new object with all that the server adds, not yet stored. Throws a StatusFailure. */
export function prepareNew(kind: Kind, sent: JsonObject, context: WriteContext): StoredObject {
  const { manager, clock } = context
  const { managedFields, resourceVersion, generateName, ...metadata } = objectAt(sent, 'metadata')
  void [managedFields, resourceVersion]
  const name = metadata['name'] ?? (typeof generateName === 'string' ? generateName + newShortId() : undefined)
  // An object is born without a status, but for what the server itself says in it.
  const { status, ...rest } = sent
  const isOwnStatus = kind.kind === 'Node'
  const body = { ...rest, ...(kind.hasStatus && !isOwnStatus ? {} : { status }) }
  const object = complete(kind, { ...body, metadata: { ...metadata, generateName, name } }, context)
  validate(kind, object, undefined)
  const bare = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: {} }
  const time = renderTime(clock)
  const ownership =
    context.ownership ?? takeChanges(bare, withoutStatus(kind, object), [], { manager, schema: kind.schema, time })
  return stamp(kind, object, {
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: time,
    ...(kind.generation === 'None' ? {} : { generation: 1 }),
    managedFields: writeOwnership(ownership),
  })
}

/** What the server fills in itself is not the manager's. */
function withoutStatus({ hasStatus }: Kind, { status, ...rest }: JsonObject): JsonObject {
  return hasStatus ? rest : { ...rest, ...(status === undefined ? {} : { status }) }
}

/**
 * A changed object, not yet stored; the live one itself where nothing changes. `subresource` says which half of it may. Throws a StatusFailure: 409 where
 * the sender has an old version, 422 where the object is wrong.
 */
export function prepareChange(kind: Kind, live: StoredObject, sent: JsonObject, context: WriteContext): StoredObject {
  const { manager, clock } = context
  const { name } = live.metadata
  const sentMeta = objectAt(sent, 'metadata')
  checkIdentity(kind, live, sentMeta)
  const halves = chooseHalf(kind, live, sent, manager.subresource)
  const metadata = { ...sentMeta, ...serverMeta(live.metadata), name, namespace: live.metadata.namespace }
  const object = complete(kind, { ...halves, metadata }, context)
  if (manager.subresource !== 'status') validate(kind, object, live)
  const schema = kind.schema
  const ownership =
    context.ownership ??
    takeChanges(live, object, readOwnership(live.metadata.managedFields), { manager, schema, time: renderTime(clock) })
  const next = stamp(kind, object, {
    ...serverMeta(live.metadata),
    ...nextGeneration(kind, live, object),
    managedFields: writeOwnership(ownership),
  })
  return isSameButTimes(live, next) ? live : next
}

function checkIdentity(kind: Kind, live: StoredObject, { uid, resourceVersion }: JsonObject): void {
  const { name } = live.metadata
  if (uid !== undefined && uid !== live.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${textOf(uid)}, UID in object meta: ${live.metadata.uid}`
    throw conflict(kind, name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== live.metadata.resourceVersion) {
    throw conflict(kind, name, changedMeanwhile)
  }
}

/** A write to the main address does not reach the status, one to the status nothing else. */
function chooseHalf(kind: Kind, live: StoredObject, sent: JsonObject, subresource: string | undefined): JsonObject {
  if (!kind.hasStatus) return sent
  const { status, ...rest } = sent
  const { status: liveStatus, ...liveRest } = live as JsonObject
  const body = subresource === 'status' ? { ...liveRest, status } : { ...rest, status: liveStatus }
  return body
}

function complete(kind: Kind, object: JsonObject, { allocateAddress }: WriteContext): JsonObject {
  const named = { ...object, apiVersion: kind.apiVersion, kind: kind.kind }
  return kind.isBuiltIn ? canonicalize(fillDefaults(kind.kind, named, allocateAddress)) : named
}

/** What only the server changes. */
function serverMeta(live: StoredMeta): JsonObject {
  const { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = live
  const ending = { deletionTimestamp, deletionGracePeriodSeconds }
  return { uid, resourceVersion, creationTimestamp, generation, ...ending, managedFields: live.managedFields }
}

/** The object with the server's metadata, and without what is undefined. */
function stamp(kind: Kind, object: JsonObject, server: JsonObject): StoredObject {
  const { metadata, apiVersion, kind: kindName, ...body } = object
  void [apiVersion, kindName]
  const merged = { ...objectAt({ metadata }, 'metadata'), ...server }
  const whole = { kind: kind.kind, apiVersion: kind.apiVersion, metadata: merged, ...body }
  return JSON.parse(JSON.stringify(dropEmptyMaps(whole))) as StoredObject
}

/** Labels and annotations that are all gone, and finalizers as well, are no longer there. */
function dropEmptyMaps(object: { readonly metadata: JsonObject } & JsonObject): JsonObject {
  const isEmpty = (value: unknown): boolean =>
    value === null || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  const maps = ['labels', 'annotations', 'finalizers', 'ownerReferences', 'managedFields']
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([field, value]) => !maps.includes(field) || !isEmpty(value)),
  )
  return { ...object, metadata }
}

function nextGeneration(kind: Kind, live: StoredObject, next: JsonObject): JsonObject {
  const { generation } = live.metadata
  if (kind.generation === 'None' || generation === undefined) return {}
  const annotations = ({ metadata }: JsonObject): unknown => objectAt({ metadata }, 'metadata', 'annotations')
  const body = ({ metadata, status, ...rest }: JsonObject): unknown => {
    void [metadata, status]
    return rest
  }
  const isChanged =
    kind.generation === 'All'
      ? !isSameJson(body(live), body(next))
      : !isSameJson(live['spec'], next['spec']) ||
        (kind.generation === 'SpecAndAnnotations' && !isSameJson(annotations(live), annotations(next)))
  return { generation: generation + (isChanged ? 1 : 0) }
}

function isSameButTimes(a: StoredObject, b: StoredObject): boolean {
  const bare = (object: StoredObject): unknown => ({
    ...object,
    metadata: {
      ...object.metadata,
      resourceVersion: '',
      managedFields: object.metadata.managedFields?.map(({ time, ...entry }) => {
        void time
        return entry
      }),
    },
  })
  return isSameJson(bare(a), bare(b))
}

/** An update that must say which version it changes, and does not. */
export function versionNeeded(kind: Kind, name: string): Error {
  const detail = '0: must be specified for an update'
  return invalid({ kind: kind.plural, group: kind.group, name }, [
    { field: 'metadata.resourceVersion', mistake: 'Invalid value', detail },
  ])
}

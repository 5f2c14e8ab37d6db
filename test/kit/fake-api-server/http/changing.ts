import { prepareApplied } from '../objects/applying.ts'
import { deleteObject } from '../objects/deleting.ts'
import { collectGarbage } from '../objects/garbage.ts'
import type { Kind } from '../objects/kind.ts'
import { StatusFailure, alreadyExists, invalid, notFound } from '../objects/status-failure.ts'
import { type JsonObject, type StoredObject, objectAt } from '../objects/stored-object.ts'
import { storeObject } from '../objects/storing.ts'
import { type WriteContext, prepareChange, prepareNew, versionNeeded } from '../objects/writing.ts'
import type { Manager } from '../ownership/managers.ts'
import type { Address, ObjectAddress } from './address.ts'
import { type Answer, type Exchange, type Service, isDryRun, json } from './exchange.ts'
import { parseSelectors } from './listing.ts'
import { mergePatch, placeAt, readIntent, readPatch, readSent, unsupportedMedia } from './sent-body.ts'

/** The name under which the sender owns what it writes: what it says, or how its program names itself. */
export function readManager(
  { query, headers }: Exchange,
  operation: Manager['operation'],
  { apiVersion }: Kind,
  subresource?: string,
): Manager {
  const program = (headers['user-agent'] ?? '').split('/')[0] ?? ''
  const name = query.get('fieldManager') ?? (program === '' ? 'unknown' : program)
  return { name, operation, apiVersion, subresource }
}

function contextOf({ world }: Service, manager: Manager): WriteContext {
  return { clock: world.clock, allocateAddress: world.allocateAddress, manager }
}

export function createObject(
  service: Service,
  exchange: Exchange,
  { resource, namespace }: Extract<Address, { kind: 'Collection' }>,
): Answer {
  const { store } = service.world
  const sent = placeAt(readSent(exchange, resource), { namespace })
  const next = prepareNew(resource, sent, contextOf(service, readManager(exchange, 'Update', resource)))
  const { name } = next.metadata
  const live = store.get(resource, namespace, name)
  if (live !== undefined) throw alreadyExists(resource, name, live.metadata.deletionTimestamp !== undefined)
  return answer(201, storeObject(service.world, resource, undefined, next, isDryRun(exchange)))
}

export function getObject({ world }: Service, { resource, namespace, name }: ObjectAddress): Answer {
  return answer(200, findObject(world.store.get(resource, namespace, name), resource, name))
}

function findObject(live: StoredObject | undefined, kind: Kind, name: string): StoredObject {
  if (live === undefined) throw notFound(kind, name)
  return live
}

/** PUT: the whole object. */
export function updateObject(service: Service, exchange: Exchange, address: ObjectAddress): Answer {
  const { resource, name } = address
  const sent = placeAt(readSent(exchange, resource), address)
  const live = findObject(service.world.store.get(resource, address.namespace, name), resource, name)
  if (!resource.isBuiltIn && objectAt(sent, 'metadata')['resourceVersion'] === undefined) {
    throw versionNeeded(resource, name)
  }
  return changeObject(service, exchange, address, { live, next: sent })
}

/** PATCH by its content type: server-side apply, or a JSON merge patch. */
export function patchObject(service: Service, exchange: Exchange, address: ObjectAddress): Answer {
  const [type] = (exchange.headers['content-type'] ?? '').split(';')
  if (type === 'application/apply-patch+yaml') return applyObject(service, exchange, address)
  // The other forms of a patch are not needed here.
  if (type !== 'application/merge-patch+json') throw unsupportedMedia()
  const { resource, namespace, name } = address
  const live = findObject(service.world.store.get(resource, namespace, name), resource, name)
  const next = placeAt(mergePatch(live, readPatch(exchange)) as JsonObject, address)
  return changeObject(service, exchange, address, { live, next })
}

function changeObject(
  service: Service,
  exchange: Exchange,
  { resource, subresource }: ObjectAddress,
  { live, next }: { readonly live: StoredObject; readonly next: JsonObject },
): Answer {
  const manager = readManager(exchange, 'Update', resource, subresource)
  const changed = prepareChange(resource, live, next, contextOf(service, manager))
  return answer(200, storeObject(service.world, resource, live, changed, isDryRun(exchange)))
}

function applyObject(service: Service, exchange: Exchange, address: ObjectAddress): Answer {
  const { resource, namespace, name, subresource } = address
  if (exchange.query.get('fieldManager') === null) throw managerNeeded()
  const intent = placeAt(readIntent(exchange, resource), address)
  const live = service.world.store.get(resource, namespace, name)
  if (live === undefined) {
    if (subresource !== undefined) throw notFound(resource, name)
    service.access.check({ verb: 'create', group: resource.group, plural: resource.plural, namespace, name })
  }
  const manager = readManager(exchange, 'Apply', resource, subresource)
  const force = exchange.query.get('force') === 'true'
  const next = prepareApplied(resource, live, intent, { ...contextOf(service, manager), force })
  return answer(live === undefined ? 201 : 200, storeObject(service.world, resource, live, next, isDryRun(exchange)))
}

export function managerNeeded(): StatusFailure {
  return invalid({ kind: 'PatchOptions', group: 'meta.k8s.io', name: '' }, [
    { field: 'fieldManager', mistake: 'Required value', detail: 'is required for apply patch' },
  ])
}

/** Answers a Status; the object where it has to wait, and for a pod. */
export function removeObject(service: Service, exchange: Exchange, address: ObjectAddress): Answer {
  const { resource, namespace, name } = address
  const live = findObject(service.world.store.get(resource, namespace, name), resource, name)
  const { object, isGone } = deleteObject(service.world, resource, live, readDeleteOptions(exchange))
  collectGarbage(service.world)
  if (!isGone || resource.kind === 'Pod') return answer(200, object)
  return json(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      uid: object.metadata.uid,
    },
  })
}

/** DELETE of a collection: of all that match. */
export function removeObjects(
  service: Service,
  exchange: Exchange,
  { resource, namespace }: Extract<Address, { kind: 'Collection' }>,
): Answer {
  const matches = parseSelectors(exchange.query, resource)
  const found = service.world.store.list(resource, namespace).filter(matches)
  const options = readDeleteOptions(exchange)
  const items = found.map((object) => deleteObject(service.world, resource, object, options).object)
  collectGarbage(service.world)
  const metadata = { resourceVersion: String(service.world.store.version()) }
  return json(200, { kind: resource.listKind, apiVersion: resource.apiVersion, metadata, items })
}

function readDeleteOptions(exchange: Exchange): Parameters<typeof deleteObject>[3] {
  const sent = exchange.body.length === 0 ? {} : readPatch(exchange)
  const { uid, resourceVersion } = objectAt(sent, 'preconditions')
  const grace = exchange.query.get('gracePeriodSeconds') ?? sent['gracePeriodSeconds']
  const propagation = exchange.query.get('propagationPolicy') ?? sent['propagationPolicy']
  return {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(typeof propagation === 'string' ? { propagation } : {}),
    isDry: isDryRun(exchange) || (Array.isArray(sent['dryRun']) && sent['dryRun'].includes('All')),
  }
}

/** What was never stored has no version. */
function answer(status: number, object: StoredObject): Answer {
  const { resourceVersion, ...metadata } = object.metadata
  if (resourceVersion !== '') return json(status, object)
  return json(status, { ...object, metadata })
}

import type { KubeObject, Resource } from '../../../src/kube/object.ts'
import { dropObject } from './objects/deleting.ts'
import { collectGarbage } from './objects/garbage.ts'
import type { Change } from './objects/store.ts'
import type { JsonObject, StoredObject } from './objects/stored-object.ts'
import { storeObject } from './objects/storing.ts'
import type { World } from './objects/world.ts'
import { type WriteContext, prepareChange, prepareNew } from './objects/writing.ts'

/** The store, for the test: what it does here no rule forbids, no fault strikes and no request log shows. `namespace`: by default `default`. */
export interface TestObjects {
  /** Creates or replaces, with its status. The fields are those of an Update by `manager`. Answers what is stored. */
  put(resource: Resource, object: KubeObject, by?: { readonly manager?: string }): StoredObject
  get(resource: Resource, name: string, namespace?: string): StoredObject | undefined
  /** Of one namespace, or of all. */
  list(resource: Resource, namespace?: string): readonly StoredObject[]
  /** At once, whatever holds it; what it owns goes as well. */
  remove(resource: Resource, name: string, namespace?: string): void
  /** Replaces the status, as a controller does. */
  setStatus(resource: Resource, name: string, status: object, namespace?: string): StoredObject
  /** Called after each write, whoever it is by, until what it answers is called. */
  onChange(listener: (change: Change) => void): () => void
}

export function createTestObjects(world: World): TestObjects {
  const { store, clock, allocateAddress } = world
  const get: TestObjects['get'] = (resource, name, namespace = 'default') =>
    store.get(world.kindOf(resource), resource.namespaced ? namespace : undefined, name)
  const setStatus: TestObjects['setStatus'] = (resource, name, status, namespace) => {
    const live = get(resource, name, namespace)
    if (live === undefined) throw new Error(`there is no ${resource.kind} ${name} whose status could be set`)
    const kind = world.kindOf(resource)
    const manager = {
      name: 'controller',
      operation: 'Update',
      apiVersion: kind.apiVersion,
      subresource: 'status',
    } as const
    const next = prepareChange(kind, live, { ...live, status }, { clock, allocateAddress, manager })
    return storeObject(world, kind, live, next)
  }
  return {
    get,
    setStatus,
    onChange: (listener) => store.subscribe(listener),
    list: (resource, namespace) => store.list(world.kindOf(resource), namespace),
    put(resource, object, { manager: name = 'test' } = {}) {
      const kind = world.kindOf(resource)
      const { namespace = 'default', ...metadata } = object.metadata ?? {}
      const place = resource.namespaced ? { namespace } : {}
      const sent = { ...object, metadata: { ...metadata, ...place } } as JsonObject
      const manager = { name, operation: 'Update', apiVersion: kind.apiVersion, subresource: undefined } as const
      const context: WriteContext = { clock, allocateAddress, manager }
      const live = metadata.name === undefined ? undefined : get(resource, metadata.name, namespace)
      const next = live === undefined ? prepareNew(kind, sent, context) : prepareChange(kind, live, sent, context)
      const withTimes = keepTimes(next, sent)
      const stored = storeObject(world, kind, live, withTimes)
      const { status } = sent
      if (!kind.hasStatus || typeof status !== 'object' || status === null || kind.kind === 'Node') return stored
      return setStatus(resource, stored.metadata.name, status, namespace)
    },
    remove(resource, name, namespace) {
      const live = get(resource, name, namespace)
      if (live === undefined) return
      dropObject(world, world.kindOf(resource), live)
      collectGarbage(world)
    },
  }
}

/** A test may say how old an object is, and that it is ending. */
function keepTimes(next: StoredObject, { metadata }: JsonObject): StoredObject {
  const { creationTimestamp, deletionTimestamp, uid } = metadata as Record<string, unknown>
  const times = { creationTimestamp, deletionTimestamp, uid }
  const given = Object.entries(times).filter(([, value]) => typeof value === 'string')
  if (given.length === 0) return next
  return { ...next, metadata: { ...next.metadata, ...Object.fromEntries(given) } }
}

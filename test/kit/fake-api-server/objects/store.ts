import type { Kind } from './kind.ts'
import type { StoredObject } from './stored-object.ts'

/** One write, as a watcher sees it. */
export interface Change {
  readonly version: number
  readonly kind: Kind
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: StoredObject
  /** Before; undefined where there was none. */
  readonly previous: StoredObject | undefined
}

/** All objects, and all that happened to them since it was last compacted. One version counts the writes of all kinds. */
export interface Store {
  version(): number
  /** What happened up to here is forgotten. */
  compactedTo(): number
  get(kind: Kind, namespace: string | undefined, name: string): StoredObject | undefined
  /** By namespace and name. `namespace` undefined: of all. */
  list(kind: Kind, namespace?: string): readonly StoredObject[]
  /** As it was at a version that is not yet forgotten. */
  listAt(version: number, kind: Kind, namespace?: string): readonly StoredObject[]
  /** Of all kinds. */
  all(): readonly { readonly kind: Kind; readonly object: StoredObject }[]
  put(kind: Kind, object: StoredObject): StoredObject
  remove(kind: Kind, object: StoredObject): StoredObject
  changesSince(version: number): readonly Change[]
  /** Answers what ends it. */
  subscribe(listener: (change: Change) => void): () => void
  compact(): void
}

interface Held {
  readonly kind: Kind
  readonly object: StoredObject
}

export function createStore(): Store {
  const held = new Map<string, Held>()
  const listeners = new Set<(change: Change) => void>()
  let history: Change[] = []
  const undelivered: Change[] = []
  let isDelivering = false
  let version = 1
  let compactedTo = 0

  const record = (kind: Kind, type: Change['type'], object: StoredObject, previous?: StoredObject): StoredObject => {
    version++
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    const change: Change = { version, kind, type, object: stamped, previous }
    history.push(change)
    const key = keyOf(kind, object)
    if (type === 'DELETED') held.delete(key)
    else held.set(key, { kind, object: stamped })
    undelivered.push(change)
    deliver()
    return stamped
  }
  // A listener may write as well: all of them see one change before the next.
  const deliver = (): void => {
    if (isDelivering) return
    isDelivering = true
    try {
      for (let change = undelivered.shift(); change !== undefined; change = undelivered.shift()) {
        for (const listener of listeners) listener(change)
      }
    } finally {
      isDelivering = false
    }
  }
  const select = (from: Iterable<Held>, kind: Kind, namespace?: string): readonly StoredObject[] =>
    [...from]
      .filter((one) => isOf(one.kind, kind) && (namespace === undefined || one.object.metadata.namespace === namespace))
      .map(({ object }) => object)
      .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))

  return {
    version: () => version,
    compactedTo: () => compactedTo,
    get: (kind, namespace, name) => held.get(placeKey(kind, namespace, name))?.object,
    list: (kind, namespace) => select(held.values(), kind, namespace),
    listAt(at, kind, namespace) {
      const then = new Map(held)
      for (const change of history.toReversed()) {
        if (change.version <= at) break
        const key = keyOf(change.kind, change.object)
        if (change.previous === undefined) then.delete(key)
        else then.set(key, { kind: change.kind, object: change.previous })
      }
      return select(then.values(), kind, namespace)
    },
    all: () => [...held.values()],
    put(kind, object) {
      const previous = held.get(keyOf(kind, object))?.object
      return record(kind, previous === undefined ? 'ADDED' : 'MODIFIED', object, previous)
    },
    remove: (kind, object) => record(kind, 'DELETED', object, held.get(keyOf(kind, object))?.object),
    changesSince: (since) => history.filter((change) => change.version > since),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    compact() {
      compactedTo = version
      history = []
    },
  }
}

/** Two versions of one kind are the same objects. */
function isOf(a: Kind, b: Kind): boolean {
  return a.plural === b.plural && a.group === b.group
}

function keyOf(kind: Kind, { metadata }: StoredObject): string {
  return placeKey(kind, metadata.namespace, metadata.name)
}

function placeKey({ group, plural }: Kind, namespace: string | undefined, name: string): string {
  return `${group}/${plural}/${namespace ?? ''}/${name}`
}

/** The order in which the real store keeps keys. */
export function sortKey({ metadata: { namespace, name } }: StoredObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

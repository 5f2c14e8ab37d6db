import { deleteObject, dropObject, namespaceContent } from './deleting.ts'
import type { Kind } from './kind.ts'
import type { StoredObject } from './stored-object.ts'
import type { World } from './world.ts'

interface Found {
  readonly kind: Kind
  readonly object: StoredObject
}

/** What is there, looked at once. */
interface Look {
  readonly all: readonly Found[]
  readonly uids: ReadonlySet<string>
}

/**
 * Does at once what controllers of the real one do in the background: dependents of owners that are gone go, so does the content of a namespace that ends,
 * and whoever waits for them.
 */
export function collectGarbage(world: World): void {
  for (let isChanged = true; isChanged;) {
    const all = world.store.all()
    const look = { all, uids: new Set(all.map(({ object }) => object.metadata.uid)) }
    isChanged = all.map((found) => settle(world, found, look)).includes(true)
  }
}

/** True where something changed. */
function settle(world: World, found: Found, { all, uids }: Look): boolean {
  // Something earlier in the same round may have changed it.
  const { kind } = found
  const object = world.store.get(kind, found.object.metadata.namespace, found.object.metadata.name)
  if (object === undefined) return false
  const { ownerReferences = [], deletionTimestamp, finalizers = [], uid, name } = object.metadata
  if (deletionTimestamp !== undefined) {
    if (finalizers.includes(namespaceContent)) {
      const content = all.filter((one) => one.object.metadata.namespace === name)
      return content.length === 0 ? release(world, kind, object, namespaceContent) : deleteAll(world, content)
    }
    const dependents = (): readonly Found[] =>
      all.filter((one) => one.object.metadata.ownerReferences?.some((owner) => owner.uid === uid))
    if (finalizers.includes('orphan')) {
      for (const one of dependents()) forgetOwners(world, one, (owner) => owner === uid)
      return release(world, kind, object, 'orphan')
    }
    if (finalizers.includes('foregroundDeletion')) {
      const left = dependents()
      return left.length === 0 ? release(world, kind, object, 'foregroundDeletion') : deleteAll(world, left)
    }
  }
  const present = ownerReferences.filter((owner) => uids.has(owner.uid))
  if (present.length === ownerReferences.length) return false
  if (present.length > 0) return forgetOwners(world, { kind, object }, (owner) => !uids.has(owner))
  return deleteAll(world, [{ kind, object }])
}

/** False where all of them are on their way already. */
function deleteAll(world: World, found: readonly Found[]): boolean {
  const current = found.map(({ kind, object }) => ({
    kind,
    object: world.store.get(kind, object.metadata.namespace, object.metadata.name),
  }))
  let isChanged = false
  for (const { kind, object } of current) {
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) continue
    deleteObject(world, kind, object)
    isChanged = true
  }
  // Those that went meanwhile are a change too: whoever waits for them looks again.
  return isChanged || current.some(({ object }) => object === undefined)
}

function release(world: World, kind: Kind, object: StoredObject, holder: string): boolean {
  const finalizers = object.metadata.finalizers?.filter((name) => name !== holder) ?? []
  if (finalizers.length === 0) dropObject(world, kind, object)
  else world.store.put(kind, { ...object, metadata: { ...object.metadata, finalizers } })
  return true
}

function forgetOwners(world: World, found: Found, isGone: (uid: string) => boolean): boolean {
  const { kind, object } = found
  const { ownerReferences = [], ...metadata } = object.metadata
  const left = ownerReferences.filter(({ uid }) => !isGone(uid))
  const owners = left.length === 0 ? {} : { ownerReferences: left }
  world.store.put(kind, { ...object, metadata: { ...metadata, ...owners } })
  return true
}

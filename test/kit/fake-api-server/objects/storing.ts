import type { Kind } from './kind.ts'
import { StatusFailure } from './status-failure.ts'
import { type StoredObject, objectAt } from './stored-object.ts'
import { type World, isDefinition } from './world.ts'
import { dropObject } from './deleting.ts'
import { collectGarbage } from './garbage.ts'

/** Stores what was prepared, with all that follows from it. `isDry`: nothing is stored. Answers what is there now. */
export function storeObject(
  world: World,
  kind: Kind,
  live: StoredObject | undefined,
  next: StoredObject,
  isDry = false,
): StoredObject {
  if (live === undefined) checkNamespace(world, kind, next)
  if (isDry || next === live) return next
  const { deletionTimestamp, finalizers = [] } = next.metadata
  // Nothing holds it any more.
  if (deletionTimestamp !== undefined && finalizers.length === 0 && live?.metadata.finalizers !== undefined) {
    dropObject(world, kind, next)
    collectGarbage(world)
    return next
  }
  const stored = world.store.put(kind, next)
  if (isDefinition(kind)) {
    world.serveDefinition(stored)
    return establish(world, kind, stored)
  }
  // An owner may be gone already.
  if (stored.metadata.ownerReferences !== undefined || deletionTimestamp !== undefined) collectGarbage(world)
  return stored
}

function establish(world: World, kind: Kind, definition: StoredObject): StoredObject {
  const { names } = objectAt(definition, 'spec')
  const lastTransitionTime = definition.metadata.creationTimestamp
  const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True', lastTransitionTime }))
  return world.store.put(kind, { ...definition, status: { conditions, acceptedNames: names, storedVersions: [] } })
}

function checkNamespace({ store, kindOf }: World, kind: Kind, { metadata: { namespace, name } }: StoredObject): void {
  if (!kind.namespaced || namespace === undefined) return
  const namespaces = kindOf(namespaceResource)
  const found = store.get(namespaces, undefined, namespace)
  if (found === undefined) {
    const details = { name: namespace, kind: 'namespaces' }
    throw new StatusFailure(404, 'NotFound', `namespaces "${namespace}" not found`, { details })
  }
  if (found.metadata.deletionTimestamp === undefined) return
  const message = `${kind.plural} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]
  throw new StatusFailure(403, 'Forbidden', message, { details: { name, kind: kind.plural, causes } })
}

const namespaceResource = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }

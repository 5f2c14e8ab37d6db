import type { Kind } from './kind.ts'
import { changedMeanwhile, conflict } from './status-failure.ts'
import { type StoredObject, objectAt } from './stored-object.ts'
import { type World, isDefinition } from './world.ts'
import { renderTime } from './writing.ts'

export interface DeleteOptions {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly gracePeriodSeconds?: number
  readonly propagation?: string
  readonly isDry?: boolean
}

/** What follows is the garbage collection's. The object as it is then; `isGone` false: it waits for its finalizers, its dependents or, a pod, for its node. Throws a StatusFailure of 409. */
export function deleteObject(
  world: World,
  kind: Kind,
  object: StoredObject,
  { uid, resourceVersion, gracePeriodSeconds, propagation, isDry = false }: DeleteOptions = {},
): { readonly object: StoredObject; readonly isGone: boolean } {
  const { metadata } = object
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`
    throw conflict(kind, metadata.name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(kind, metadata.name, changedMeanwhile)
  }
  const holders = [...(metadata.finalizers ?? []), ...finalizersFor(kind, propagation)]
  const graceSeconds = kind.kind === 'Pod' ? findGrace(object, gracePeriodSeconds) : 0
  if (holders.length === 0 && graceSeconds === 0) {
    if (!isDry) dropObject(world, kind, object)
    return { object, isGone: true }
  }
  if (metadata.deletionTimestamp !== undefined && holders.length === (metadata.finalizers ?? []).length) {
    return { object, isGone: false }
  }
  const ending: StoredObject = {
    ...object,
    ...(kind.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}),
    metadata: {
      ...metadata,
      ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
      deletionTimestamp: renderTime(world.clock, graceSeconds),
      deletionGracePeriodSeconds: graceSeconds,
      ...(holders.length === 0 ? {} : { finalizers: holders }),
    },
  }
  if (isDry) return { object: ending, isGone: false }
  return { object: world.store.put(kind, ending), isGone: false }
}

function finalizersFor(kind: Kind, propagation: string | undefined): readonly string[] {
  if (propagation === 'Foreground') return ['foregroundDeletion']
  if (propagation === 'Orphan') return ['orphan']
  return kind.kind === 'Namespace' ? [namespaceContent] : []
}

/** Stands for the finalizer in the spec of a namespace. */
export const namespaceContent = 'content'

/** A pod without a node has nobody to end it first. */
function findGrace({ spec, metadata, status }: StoredObject, asked: number | undefined): number {
  const { nodeName, terminationGracePeriodSeconds } = objectAt({ spec }, 'spec')
  const { phase } = objectAt({ status }, 'status')
  if (nodeName === undefined || nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return 0
  return asked ?? metadata.deletionGracePeriodSeconds ?? Number(terminationGracePeriodSeconds ?? 30)
}

/** At once, whatever holds it. */
export function dropObject(world: World, kind: Kind, object: StoredObject): void {
  world.store.remove(kind, object)
  if (!isDefinition(kind)) return
  const definition = object
  for (const one of world.store.all()) {
    const { group, names } = objectAt(definition, 'spec')
    if (one.kind.group === group && one.kind.plural === objectAt({ names }, 'names')['plural']) {
      world.store.remove(one.kind, one.object)
    }
  }
  world.stopDefinition(definition)
}

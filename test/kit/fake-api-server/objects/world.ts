import type { Clock } from '../../../../src/base/clock.ts'
import type { Resource } from '../../../../src/kube/object.ts'
import { type Kind, crdResource, createKind, isSameResource, standardResources } from './kind.ts'
import { type Store, createStore } from './store.ts'
import { type JsonObject, type StoredObject, isObject, objectAt } from './stored-object.ts'

/** Everything that the server knows: which kinds it serves, and their objects. */
export interface World {
  readonly store: Store
  readonly clock: Clock
  kinds(): readonly Kind[]
  findKind(group: string, version: string, plural: string): Kind | undefined
  /** The kind of a resource that is served; an error of the test where it is not. */
  kindOf(resource: Resource): Kind
  serve(resource: Resource): void
  /** As a definition says; again for a changed one. */
  serveDefinition(definition: StoredObject): void
  stopDefinition(definition: StoredObject): void
  allocateAddress(): string
}

export function createWorld(clock: Clock): World {
  const store = createStore()
  let kinds: readonly Kind[] = standardResources.map((resource) => createKind(resource))
  let addresses = 0
  const findKind: World['findKind'] = (group, version, plural) =>
    kinds.find((kind) => isSameResource(kind, { group, version, plural, kind: '', namespaced: false }))
  const add = (added: readonly Kind[]): void => {
    kinds = [...kinds.filter((kind) => !added.some((one) => isSameResource(one, kind))), ...added]
  }
  return {
    store,
    clock,
    kinds: () => kinds,
    findKind,
    kindOf(resource) {
      const kind = findKind(resource.group, resource.version, resource.plural)
      if (kind === undefined) throw new Error(`${resource.kind} is not served here: name it in the option \`kinds\``)
      return kind
    },
    serve: (resource) => add([createKind(resource)]),
    serveDefinition: (definition) => add(readDefinition(definition, store.version())),
    stopDefinition(definition) {
      const gone = readDefinition(definition, 0)
      kinds = kinds.filter((kind) => !gone.some((one) => isSameResource(one, kind)))
    },
    allocateAddress: () => {
      addresses++
      return `10.96.${addresses >> 8}.${addresses & 255}`
    },
  }
}

/** The kinds of a CustomResourceDefinition, one for each version that it serves. */
function readDefinition(definition: StoredObject, since: number): readonly Kind[] {
  const { group, names, scope, versions } = objectAt(definition, 'spec') as unknown as {
    readonly group: string
    readonly names: { readonly kind: string; readonly plural: string }
    readonly scope: string
    readonly versions: readonly JsonObject[]
  }
  return versions
    .filter(({ served }) => served === true)
    .map((version) =>
      createKind(
        {
          group,
          version: String(version['name']),
          kind: names.kind,
          plural: names.plural,
          namespaced: scope === 'Namespaced',
        },
        {
          since,
          openApi: objectAt(version, 'schema', 'openAPIV3Schema'),
          hasStatus: isObject(objectAt(version, 'subresources')['status']),
        },
      ),
    )
}

export function isDefinition(kind: Kind): boolean {
  return isSameResource(kind, crdResource)
}

import type { KubeObject } from '../object.ts'

/** What happened to one object. `before` is what was known of it. */
export type Change<T> =
  | { readonly kind: 'Added'; readonly object: T }
  | { readonly kind: 'Changed'; readonly object: T; readonly before: T }
  /** The last that is known of it. */
  | { readonly kind: 'Removed'; readonly object: T }

/** The values of an object by which it is found, such as the uids of its owners. */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>

/** What is known of the objects of one kind. */
export interface StoreView<T> {
  get(name: string, namespace?: string): T | undefined
  list(): readonly T[]
  /** Objects whose index has this value. An index that was not named at the start is a bug, and thrown. */
  byIndex(index: string, value: string): readonly T[]
  readonly size: number
}

export interface ObjectStore<T> extends StoreView<T> {
  /** Nothing: this very version is known. Two changes: another object has taken the name, and the end of the first was missed. */
  put(object: T): readonly Change<T>[]
  /** Nothing: it was not known. */
  remove(object: T): readonly Change<T>[]
  /** Those that a complete list does not have any more: their removal was missed. */
  findMissing(items: readonly T[]): readonly T[]
}

export function createObjectStore<T extends KubeObject>(indexes: Indexes<T> = {}): ObjectStore<T> {
  const objects = new Map<string, T>()
  const indexed = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Set<string>>()]))

  const unindex = (key: string, object: T): void => {
    for (const [name, read] of Object.entries(indexes))
      for (const value of read(object)) {
        const keys = indexed.get(name)?.get(value)
        keys?.delete(key)
        if (keys?.size === 0) indexed.get(name)?.delete(value)
      }
  }
  const index = (key: string, object: T): void => {
    for (const [name, read] of Object.entries(indexes))
      for (const value of read(object)) {
        const values = indexed.get(name)
        values?.set(value, (values.get(value) ?? new Set()).add(key))
      }
  }

  return {
    get: (name, namespace = '') => objects.get(`${namespace}/${name}`),
    list: () => [...objects.values()],
    byIndex: (name, value) => {
      const values = indexed.get(name)
      if (values === undefined) throw new Error(`there is no index ${name}`)
      return [...(values.get(value) ?? [])].flatMap((key) => objects.get(key) ?? [])
    },
    get size() {
      return objects.size
    },
    put: (object) => {
      const key = keyOf(object)
      const before = objects.get(key)
      if (before !== undefined && before.metadata?.resourceVersion === object.metadata?.resourceVersion) return []
      if (before !== undefined) unindex(key, before)
      objects.set(key, object)
      index(key, object)
      if (before === undefined) return [{ kind: 'Added', object }]
      if (before.metadata?.uid === object.metadata?.uid) return [{ kind: 'Changed', object, before }]
      return [
        { kind: 'Removed', object: before },
        { kind: 'Added', object },
      ]
    },
    remove: (object) => {
      const key = keyOf(object)
      const before = objects.get(key)
      if (before === undefined) return []
      unindex(key, before)
      objects.delete(key)
      return [{ kind: 'Removed', object }]
    },
    findMissing: (items) => {
      const present = new Set(items.map(keyOf))
      return [...objects].filter(([key]) => !present.has(key)).map(([, object]) => object)
    },
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
}

import type { Change } from '../../src/kube/informer/object-store.ts'
import type { KubeObject } from '../../src/kube/object.ts'

interface Known {
  readonly uid: string
  readonly version: string
}

/** What an informer told, held against the rules that anybody who acts on it relies on. */
export interface Ledger {
  take(change: Change<KubeObject>): void
  /** `uid@version` of what was told since the last call, and `uid@gone`. */
  drain(): string[]
  /** Rules that were broken, in words. */
  readonly breaches: readonly string[]
  /** Last told of each object: `namespace/name` to `uid@version`. */
  known(): ReadonlyMap<string, string>
}

const maxBreaches = 20

/**
 * The rules: an object is added once before it is changed or removed, each change goes on from the last one told and to a later
 * version, a removal is of what was there, and what has gone comes back only as something later (selected anew).
 */
export function createLedger(kind: string): Ledger {
  const objects = new Map<string, Known>()
  const gone = new Map<string, string>()
  const breaches: string[] = []
  let told: string[] = []

  const check = (isRight: boolean, what: string): void => {
    if (!isRight && breaches.length < maxBreaches) breaches.push(`${kind}: ${what}`)
  }
  return {
    breaches,
    take: (change) => {
      const { key, uid, version } = identify(change.object)
      const before = objects.get(key)
      const what = `${change.kind} ${key} ${uid}@${version} after ${before?.uid ?? 'nothing'}@${before?.version ?? ''}`
      check(BigInt(version) > BigInt(gone.get(uid) ?? 0), `${what}: it was removed at ${gone.get(uid)}`)
      if (change.kind === 'Added') check(before === undefined, `${what}: it is there already`)
      else check(before?.uid === uid, `${what}: it is not what was there`)
      if (change.kind === 'Changed') {
        check(identify(change.before).version === before?.version, `${what}: "before" is not what was told before`)
        check(BigInt(version) > BigInt(before?.version ?? 0), `${what}: not later`)
      }
      // A removal that was missed is told with the version last known.
      if (change.kind === 'Removed') {
        check(BigInt(version) >= BigInt(before?.version ?? 0), `${what}: earlier`)
        objects.delete(key)
        gone.set(uid, version)
        told.push(`${uid}@gone`)
      } else {
        objects.set(key, { uid, version })
        told.push(`${uid}@${version}`)
      }
    },
    // What went is remembered until the next call only: a soak of hours must not grow by its own records.
    drain: () => {
      const drained = told
      told = []
      gone.clear()
      return drained
    },
    known: () => new Map([...objects].map(([key, { uid, version }]) => [key, `${uid}@${version}`])),
  }
}

export function identify({ metadata }: KubeObject): Known & { readonly key: string } {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata ?? {}
  return { key: `${namespace}/${name}`, uid, version: resourceVersion }
}

import type { KubeClient } from '../../src/kube/kube-client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { resources } from '../../src/kube/resources.ts'
import { identify } from './ledger.ts'
import type { KindLook, Look } from './look.ts'
import type { Confirmed } from './writer.ts'

export type Truth = ReadonlyMap<string, ReadonlyMap<string, string>>

/** What the API server has, read straight from it: plural, `namespace/name`, `uid@version`. */
export async function readTruth(client: KubeClient): Promise<Truth> {
  const read = async (kind: 'pods' | 'configMaps'): Promise<ReadonlyMap<string, string>> => {
    const { items } = await client.list<KubeObject>(resources[kind], { labelSelector: 'soak=yes' })
    return new Map(items.map(identify).map(({ key, uid, version }) => [key, `${uid}@${version}`]))
  }
  return new Map([
    ['pods', await read('pods')],
    ['configmaps', await read('configMaps')],
  ])
}

/** Where the stores of the informers are not what the API server has. */
export function findDifferences(look: Look, truth: Truth): string[] {
  return look.kinds.flatMap(({ plural, stored }) => {
    const there = truth.get(plural) ?? new Map<string, string>()
    const known = new Map(stored)
    const missing = [...there].filter(([key, is]) => known.get(key) !== is)
    const extra = stored.filter(([key]) => !there.has(key))
    return [
      ...missing.map(([key, is]) => `${plural}: ${key} is ${is} and known as ${known.get(key) ?? 'nothing'}`),
      ...extra.map(([key, is]) => `${plural}: ${key} is gone and known as ${is}`),
    ]
  })
}

/** Confirmed writes that were never told, other than those that a list has passed over. */
export function findUntold({ plural, told, gaps }: KindLook, confirmed: readonly Confirmed[]): Untold {
  const heard = new Set(told)
  const untold = confirmed.filter((each) => each.plural === plural && !heard.has(each.what))
  const isPassedOver = ({ version }: Confirmed): boolean =>
    gaps.some(([after, upTo]) => BigInt(version) > BigInt(after) && BigInt(version) <= BigInt(upTo))
  return {
    missed: untold.filter((each) => !isPassedOver(each)).map(({ what }) => `${plural}: ${what} was never told`),
    passedOver: untold.filter(isPassedOver).length,
  }
}

export interface Untold {
  readonly missed: readonly string[]
  readonly passedOver: number
}

/** Versions that were told more than once. */
export function findRepeated({ plural, told }: KindLook): string[] {
  const heard = new Set<string>()
  return told
    .filter((what) => heard.size === heard.add(what).size && !what.endsWith('@gone'))
    .map((what) => `${plural}: ${what} was told again`)
}

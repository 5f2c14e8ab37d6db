import { decodeSet, listPaths } from '../ownership/field-set.ts'
import { valueAt } from './probe.ts'

interface Entry {
  readonly manager: string
  readonly subresource?: string
  readonly fieldsV1: unknown
}

/** Controllers of a real cluster write too. */
const others = ['kube-controller-manager']

/** The managers of each path that somebody owns: `hand`, or `hand scale` where it was written through a subresource. */
export function ownersOf(object: unknown): Record<string, readonly string[]> {
  const entries = (valueAt(object, 'metadata.managedFields') ?? []) as readonly Entry[]
  const owned = entries
    .filter(({ manager }) => !others.includes(manager))
    .flatMap(({ manager, subresource, fieldsV1 }) =>
      listPaths(decodeSet(fieldsV1))
        // Whole maps and lists that a write brought along with their first entry.
        .filter((path) => !isContainer(path, fieldsV1))
        .map((path) => [path, subresource === undefined ? manager : `${manager} ${subresource}`] as const),
    )
  const byPath = Map.groupBy(owned, ([path]) => path)
  const sorted = [...byPath].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([path, list]) => [path, list.map(([, name]) => name).toSorted()]))
}

function isContainer(path: string, fieldsV1: unknown): boolean {
  const hasMoreBelow = listPaths(decodeSet(fieldsV1)).some(
    (other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`),
  )
  return hasMoreBelow && !path.endsWith(']')
}

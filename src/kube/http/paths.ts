import type { Resource } from '../object.ts'

/** `/apis/apps/v1/namespaces/cats/deployments/cats/scale`; the core group has a root of its own. */
export function pathOf(
  { group, version, plural, namespaced }: Resource,
  {
    namespace,
    name,
    subresource,
  }: {
    readonly namespace?: string | undefined
    readonly name?: string | undefined
    readonly subresource?: string | undefined
  },
): string {
  const place = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${groupPath({ group, version })}${place}/${plural}${object}${subresource === undefined ? '' : `/${subresource}`}`
}

/** Where the kinds of a group and version are listed. */
export function groupPath({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** Parts that are undefined are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return present.length === 0 ? path : `${path}?${new URLSearchParams(present).toString()}`
}

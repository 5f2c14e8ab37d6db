import { statusOf } from './http/failure.ts'
import { groupPath, pathOf, withQuery } from './http/paths.ts'
import type { KubeCall } from './http/transport.ts'
import type { ListAnswer, ListQuery } from './kube-client.ts'
import type { KubeObject, Resource } from './object.ts'

interface Page<T> {
  readonly items?: readonly T[] | null
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string }
}

/**
 * Page by page, so that no single answer is large. All pages are of the moment of the first; where the server has forgotten that moment
 * (410), the list begins anew, once.
 */
export async function listPages<T extends KubeObject>(
  json: (call: KubeCall) => Promise<unknown>,
  pageSize: number,
  resource: Resource,
  query: ListQuery,
): Promise<ListAnswer<T>> {
  const path = listPath(resource, query)
  const { labelSelector, fieldSelector, signal } = query
  const kind = { apiVersion: groupPath(resource).replace(/^\/apis?\//, ''), kind: resource.kind }
  for (let fresh = 0; ; fresh++) {
    const items: T[] = []
    let next: string | undefined
    try {
      for (;;) {
        const parts = { limit: String(pageSize), continue: next, labelSelector, fieldSelector }
        const page = (await json({ method: 'GET', path: withQuery(path, parts), signal })) as Page<T>
        // Items of a list leave out what they are.
        for (const item of page.items ?? []) items.push({ ...kind, ...item })
        next = page.metadata?.continue || undefined
        if (next === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
      }
    } catch (error) {
      if (statusOf(error) !== 410 || next === undefined || fresh > 0) throw error
    }
  }
}

/** Where a list and a watch of the same objects are. */
export function listPath(resource: Resource, { scope = 'namespace', namespace }: ListQuery): string {
  return pathOf(resource, { namespace: scope === 'all' ? undefined : namespace })
}

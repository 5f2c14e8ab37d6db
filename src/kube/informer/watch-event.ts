import type { StatusBody } from '../http/failure.ts'
import type { KubeObject } from '../object.ts'

/** One line of a watch. */
export type WatchEvent<T> =
  | { readonly kind: 'Stored' | 'Deleted'; readonly object: T; readonly resourceVersion: string }
  /** Nothing happened up to this version. */
  | { readonly kind: 'Bookmark'; readonly resourceVersion: string }
  /** The watch is over: 410 when its version is forgotten. */
  | { readonly kind: 'Failed'; readonly status: number; readonly body: StatusBody }
  | { readonly kind: 'Malformed' }

/** Reads what the server wrote. Types that are not known yet are malformed: passing over one could be a change that is missed. */
export function readEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const value = parse(line)
  const object = value?.object
  if (value === undefined || typeof object !== 'object' || object === null) return { kind: 'Malformed' }
  if (value.type === 'ERROR') {
    const body = object as StatusBody
    return { kind: 'Failed', status: typeof body.code === 'number' ? body.code : 500, body }
  }
  const { name, resourceVersion } = (object as T).metadata ?? {}
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return { kind: 'Malformed' }
  if (value.type === 'BOOKMARK') return { kind: 'Bookmark', resourceVersion }
  if (typeof name !== 'string') return { kind: 'Malformed' }
  if (value.type === 'ADDED' || value.type === 'MODIFIED')
    return { kind: 'Stored', object: object as T, resourceVersion }
  return value.type === 'DELETED' ? { kind: 'Deleted', object: object as T, resourceVersion } : { kind: 'Malformed' }
}

function parse(line: string): { readonly type?: unknown; readonly object?: unknown } | undefined {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

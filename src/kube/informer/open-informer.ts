import type { Clock } from '../../base/clock.ts'
import { withQuery } from '../http/paths.ts'
import type { KubeClient, ListQuery } from '../kube-client.ts'
import { listPath } from '../list-pages.ts'
import type { KubeObject, Resource } from '../object.ts'
import { type Course, type Outcome, decideStep, startCourse } from './next-step.ts'
import { type Change, type Indexes, type StoreView, createObjectStore } from './object-store.ts'
import { type Arrival, type Ending, outcomeOf, runWatch } from './watch.ts'

export interface InformerOptions<T> {
  readonly client: Pick<KubeClient, 'list' | 'stream' | 'namespace'>
  readonly resource: Resource
  readonly query?: Omit<ListQuery, 'signal'>
  readonly indexes?: Indexes<T>
  /** In the order in which they happened, one after the other: the next waits for the last. What it throws is a bug, and ends all. */
  readonly onChange?: (change: Change<T>) => void | Promise<void>
  /** The list or the watch failed; it is tried again after `afterMs`. Null: it is not, and the informer has ended. */
  readonly onTrouble?: (outcome: Outcome, error: unknown, afterMs: number | null) => void
  readonly clock: Clock
  readonly signal: AbortSignal
  /** In [0, 1): spreads retries and the length of watches. */
  readonly random?: () => number
  /** Default: 90 s; bookmarks come each minute. */
  readonly idleMs?: number
}

/** What is known of the objects of one kind, kept up to date. */
export interface Informer<T> {
  /** All there was is in the store and handed over. Rejects where the first list is refused for good, or it is closed before. */
  readonly synced: Promise<void>
  readonly store: StoreView<T>
  readonly stats: Readonly<InformerStats>
  /** Resolves when the last handler is done. */
  close(): Promise<void>
}

export interface InformerStats {
  lists: number
  watches: number
  /** Objects that watches brought. */
  arrivals: number
  bookmarks: number
  /** Endings other than the server's own. */
  troubles: number
  /** Removals that a list had to show. */
  missedRemovals: number
  resourceVersion: string
}

const minWatchSeconds = 290
const maxWatchSeconds = 580
const defaultIdleMs = 90_000

/**
 * Lists, then watches from there on for as long as it is open: a cut connection goes on from the last version, a forgotten version
 * (410) is listed anew, and what happened in between is told as the changes it comes to. `managedFields` are left out.
 */
export function openInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { client, resource, onChange, onTrouble, clock, random = Math.random, idleMs = defaultIdleMs } = options
  const query = { namespace: client.namespace, ...options.query }
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const store = createObjectStore<T>(options.indexes)
  const synced = Promise.withResolvers<void>()
  // Whoever does not wait for it need not hear of it.
  synced.promise.catch(() => {})
  const stats: InformerStats = {
    lists: 0,
    watches: 0,
    arrivals: 0,
    bookmarks: 0,
    troubles: 0,
    missedRemovals: 0,
    resourceVersion: '',
  }

  const tell = async (changes: readonly Change<T>[]): Promise<void> => {
    for (const change of changes) {
      signal.throwIfAborted()
      try {
        await onChange?.(change)
      } catch (cause) {
        signal.throwIfAborted()
        // No failure of the cluster, whatever was thrown: trying again would pass the change over.
        throw new Error(`what takes changes of ${resource.plural} failed`, { cause })
      }
    }
  }

  const list = async (): Promise<void> => {
    stats.lists++
    const { items, resourceVersion } = await client.list<T>(resource, { ...query, signal })
    const missing = store.findMissing(items)
    stats.missedRemovals += missing.length
    for (const object of missing) await tell(store.remove(object))
    for (const item of items) await tell(store.put(stripManagers(item)))
    stats.resourceVersion = resourceVersion
  }

  const watch = async (): Promise<Ending> => {
    stats.watches++
    const path = withQuery(listPath(resource, query), {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.round(minWatchSeconds + (maxWatchSeconds - minWatchSeconds) * random())),
      resourceVersion: stats.resourceVersion,
      labelSelector: query.labelSelector,
      fieldSelector: query.fieldSelector,
    })
    return await runWatch<T>({ client, path, idleMs, clock, signal, onArrival: take })
  }

  const take = async (arrival: Arrival<T>): Promise<void> => {
    if (arrival.kind === 'Bookmark') stats.bookmarks++
    else {
      stats.arrivals++
      const object = stripManagers(arrival.object)
      await tell(arrival.kind === 'Stored' ? store.put(object) : store.remove(object))
    }
    stats.resourceVersion = arrival.resourceVersion
  }

  const act = async (doing: Course['doing']): Promise<Ending> => {
    try {
      if (doing === 'Watch') return await watch()
      await list()
      return { outcome: { kind: 'Listed' } }
    } catch (error) {
      signal.throwIfAborted()
      return { outcome: outcomeOf(error), error }
    }
  }

  const run = async (): Promise<void> => {
    let course = startCourse
    for (;;) {
      const arrivedBefore = stats.arrivals + stats.bookmarks
      const { outcome, error } = await act(course.doing)
      const hasProgress = stats.arrivals + stats.bookmarks > arrivedBefore
      const step = decideStep(course, outcome, hasProgress, random())
      if (step.kind === 'Stop') {
        onTrouble?.(outcome, error, null)
        return synced.reject(error)
      }
      course = step.course
      if (outcome.kind === 'Listed') synced.resolve()
      else if (outcome.kind !== 'Ended') {
        stats.troubles++
        onTrouble?.(outcome, error, step.afterMs)
      }
      await clock.sleep(step.afterMs, signal)
    }
  }

  const running = run().catch((error: unknown) => {
    synced.reject(error)
    if (!signal.aborted) throw error
  })
  return {
    synced: synced.promise,
    store,
    stats,
    close: async () => {
      ending.abort()
      await running
    },
  }
}

/** They make up half of an object, and nobody here reads them. */
function stripManagers<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = (object.metadata ?? {}) as { managedFields?: unknown }
  return { ...object, metadata }
}

/**
 * Works on each item, `limit` at a time. The first failure aborts what is running, is waited for, and is what comes out;
 * `signal` is that of one call, and fires also with `parent`.
 */
export async function forEachOf<T>(
  items: readonly T[],
  limit: number,
  parent: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const signal = parent === undefined ? stop.signal : AbortSignal.any([parent, stop.signal])
  const waiting = items.values()
  let first: { readonly error: unknown } | undefined
  const run = async (): Promise<void> => {
    for (const item of waiting) {
      if (signal.aborted) return
      try {
        await work(item, signal)
      } catch (error) {
        first ??= { error }
        stop.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run))
  if (first !== undefined) throw first.error
  parent?.throwIfAborted()
}

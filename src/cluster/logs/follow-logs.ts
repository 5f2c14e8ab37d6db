import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { type PodLine, type Told, addTold, createToldFilter, readLogLines } from './log-lines.ts'
import { type LogQuery, listPods, maxStreams, openLog } from './read-logs.ts'

const lookEveryMs = 1000
/** Lines that nobody has taken yet; streams are not read further meanwhile. */
const maxWaiting = 1000

export interface FollowQuery extends Omit<LogQuery, 'tail' | 'previous' | 'signal'> {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Where `readLogs` ended, for each pod. */
  readonly told?: ReadonlyMap<string, Told>
}

/**
 * What the pods of a service write from `sinceMs` on, as it comes; also of pods that come later, and of containers that are started
 * again. A stream that breaks goes on where it was, without a line twice. Ends with the signal, by its reason. TL_SERVICE_UNKNOWN:
 * it has no pods to begin with.
 */
export async function* followLogs(client: KubeClient, query: FollowQuery): AsyncGenerator<PodLine> {
  await listPods(client, query)
  const ending = new AbortController()
  const signal = AbortSignal.any([query.signal, ending.signal])
  const lines = new PassThrough({ objectMode: true, highWaterMark: maxWaiting })
  const fail = (error: unknown): void => void lines.destroy(error as Error)
  const followed = new Map<string, Promise<void>>()
  const looking = lookForPods(client, { ...query, signal }, followed, lines).catch(fail)
  try {
    for await (const line of lines) yield line as PodLine // our own
  } finally {
    ending.abort()
    await Promise.allSettled([looking, ...followed.values()])
  }
}

async function lookForPods(
  client: KubeClient,
  query: FollowQuery,
  followed: Map<string, Promise<void>>,
  lines: PassThrough,
): Promise<void> {
  const { clock, signal, onNote, name: service } = query
  let isNoted = false
  for (;;) {
    const pods = await listPods(client, query).catch((error: unknown) => {
      signal.throwIfAborted()
      if (isPassing(error)) return []
      throw error
    })
    const fresh = pods.map(({ metadata }) => metadata?.name ?? '').filter((name) => !followed.has(name))
    const free = maxStreams - followed.size
    for (const name of fresh.slice(0, free)) {
      const work = followPod(client, name, query, lines)
        .catch((error: unknown) => void lines.destroy(error as Error))
        .finally(() => followed.delete(name))
      followed.set(name, work)
    }
    if (fresh.length > free && !isNoted) {
      isNoted = true
      onNote?.(`${service} has more than ${maxStreams} pods, and the others are not followed; --replica names one`)
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

/** Until it is gone. */
async function followPod(
  client: KubeClient,
  pod: string,
  { namespace, sinceMs, clock, signal, told: before }: FollowQuery,
  lines: PassThrough,
): Promise<void> {
  let told = before?.get(pod)
  for (;;) {
    try {
      const from = told === undefined || told.time === '' ? sinceMs : told.atMs
      const start = { namespace, follow: true, signal, ...(from === undefined ? {} : { sinceMs: from }) }
      const stream = await openLog(client, pod, start)
      if (stream === undefined && (await client.get(resources.pods, pod, { namespace, signal })) === undefined) return
      const isTold = createToldFilter(told)
      for await (const line of stream === undefined ? [] : readLogLines(pod, stream, told)) {
        if (isTold(line)) continue
        if (!lines.write(line)) await once(lines, 'drain', { signal })
        told = addTold(told, line)
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

/** A pod, a node or an API server that is away comes back, and between two pods there may be none. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof TowlineError &&
    ['TL_CLUSTER_UNREACHABLE', 'TL_CLUSTER_FAILED', 'TL_SERVICE_UNKNOWN'].includes(error.code)
  )
}

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { type PodLine, readLogLines } from './log-lines.ts'
import { type LogQuery, listPods, maxStreams, openLog } from './read-logs.ts'

const lookEveryMs = 1000
/** Lines that nobody has taken yet; streams are not read further meanwhile. */
const maxWaiting = 1000

export interface FollowQuery extends Omit<LogQuery, 'tail' | 'previous' | 'signal'> {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Said once: such as more pods than are followed. */
  onNote?(note: string): void
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
  { namespace, sinceMs, clock, signal }: FollowQuery,
  lines: PassThrough,
): Promise<void> {
  let told: Told | undefined
  for (;;) {
    try {
      const from = told?.atMs ?? sinceMs
      const start = { namespace, follow: true, signal, ...(from === undefined ? {} : { sinceMs: from }) }
      const stream = await openLog(client, pod, start)
      if (stream === undefined && (await client.get(resources.pods, pod, { namespace, signal })) === undefined) return
      for await (const line of stream === undefined ? [] : readLogLines(pod, stream)) {
        if (told !== undefined && isTold(line, told)) continue
        if (!lines.write(line)) await once(lines, 'drain', { signal })
        const texts = line.time === told?.time ? [...told.texts, line.text] : [line.text]
        told = { time: line.time, atMs: line.atMs, texts }
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
    }
    await clock.sleep(lookEveryMs, signal)
  }
}

/** The last that was told, and all that was said in the same moment. */
interface Told {
  readonly time: string
  readonly atMs: number
  readonly texts: readonly string[]
}

/** An API server counts from whole seconds: what was told of the last one comes again. */
function isTold({ time, text }: PodLine, told: Told): boolean {
  return time < told.time || (time === told.time && told.texts.includes(text))
}

/** A pod, a node or an API server that is away comes back, and between two pods there may be none. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof TowlineError)) return true
  return ['TL_CLUSTER_UNREACHABLE', 'TL_CLUSTER_FAILED', 'TL_SERVICE_UNKNOWN'].includes(error.code)
}

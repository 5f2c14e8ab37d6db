import type { Pod } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import { statusOf } from '../../kube/http/failure.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { containerName } from '../../render/container.ts'
import { serviceLabel } from '../apply/ownership.ts'
import { type PodLine, type Told, addTold, mergeLines, readLogLines } from './log-lines.ts'

export interface LogQuery {
  readonly namespace: string
  readonly name: string
  /** Only of this one. */
  readonly pod?: string | undefined
  /** The last so many lines, of all pods together. */
  readonly tail?: number | undefined
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined
  /** Of the containers before those that run now: what one said before it was started again. */
  readonly previous?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Said once: a pod that cannot be read, more pods than are followed. */
  onNote?(note: string): void
}

/** Each is a connection to a node. */
export const maxStreams = 32

/**
 * What the pods of a service have written so far, in order of time. TL_SERVICE_UNKNOWN: it has no pods, or not this one; a pod that
 * has not started yet has written nothing. A pod that cannot be read, for its node is lost, is a note, and a failure only where it is so of
 * all. TL_REQUEST_INVALID: more pods than are read at once. `told` is filled: where to go on from, for each pod.
 */
export async function* readLogs(
  client: KubeClient,
  query: LogQuery,
  told: Map<string, Told> = new Map(),
): AsyncGenerator<PodLine> {
  const pods = await listPods(client, query)
  if (pods.length > maxStreams)
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `${query.name} has ${pods.length} pods, and logs of ${maxStreams} are read at once`,
      {
        hint: 'name one with --replica',
      },
    )
  let unread = 0
  const forgive = (pod: string, error: unknown): void => {
    if (!(error instanceof TowlineError) || ++unread === pods.length) throw error
    query.onNote?.(`${pod} cannot be read: ${error.detail}`)
  }
  const lines = mergeLines(pods.map((pod) => readPod(client, nameOf(pod), query, told, forgive)))
  if (query.tail === undefined) return yield* lines
  const last: PodLine[] = []
  for await (const line of lines) if (last.push(line) > query.tail) last.shift()
  yield* last
}

export async function listPods(
  client: KubeClient,
  { namespace, name, pod, signal }: Pick<LogQuery, 'namespace' | 'name' | 'pod' | 'signal'>,
): Promise<readonly Pod[]> {
  const { items } = await client.list<Pod>(resources.pods, {
    namespace,
    labelSelector: `${serviceLabel}=${name}`,
    ...(signal === undefined ? {} : { signal }),
  })
  const found = pod === undefined ? items : items.filter((each) => nameOf(each) === pod)
  if (found.length > 0) return found
  const known = items.length === 0 ? 'it has none now' : `it has ${items.map(nameOf).join(', ')}`
  throw new TowlineError(
    'TL_SERVICE_UNKNOWN',
    pod === undefined
      ? `\`${name}\` has no pods in namespace ${namespace}`
      : `\`${pod}\` is no pod of ${name} (${known})`,
  )
}

async function* readPod(
  client: KubeClient,
  pod: string,
  query: LogQuery,
  told: Map<string, Told>,
  forgive: (pod: string, error: unknown) => void,
): AsyncGenerator<PodLine> {
  try {
    const stream = await openLog(client, pod, query)
    for await (const line of stream === undefined ? [] : readLogLines(pod, stream)) {
      told.set(pod, addTold(told.get(pod), line))
      yield line
    }
  } catch (error) {
    query.signal?.throwIfAborted()
    forgive(pod, error)
  }
}

export interface LogStart extends Pick<LogQuery, 'namespace' | 'tail' | 'sinceMs' | 'previous' | 'signal'> {
  readonly follow?: boolean
  readonly limitBytes?: number
}

/** What is said with a 400 of a container that has nothing to read (yet); every other 400 is a fault of the question. */
const nothingToRead =
  /is waiting to start|is not available|is terminated|previous terminated container|does not have a host assigned/

/** Undefined: its container has not started yet, or there is none before it, or it is gone. */
export async function openLog(
  client: KubeClient,
  pod: string,
  { namespace, tail, sinceMs, previous, follow, limitBytes, signal }: LogStart,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const query = new URLSearchParams({ container: containerName, timestamps: 'true' })
  if (tail !== undefined) query.set('tailLines', String(tail))
  if (sinceMs !== undefined) query.set('sinceTime', new Date(sinceMs).toISOString())
  if (previous === true) query.set('previous', 'true')
  if (follow === true) query.set('follow', 'true')
  if (limitBytes !== undefined) query.set('limitBytes', String(limitBytes))
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`
  try {
    return await client.stream(path, signal)
  } catch (error) {
    const status = statusOf(error)
    if (status === 404 || (status === 400 && nothingToRead.test((error as Error).message))) return undefined
    throw error
  }
}

function nameOf({ metadata }: Pod): string {
  return metadata?.name ?? ''
}

import type { Pod } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import { statusOf } from '../../kube/http/failure.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { serviceLabel } from '../apply/ownership.ts'
import { type PodLine, mergeLines, readLogLines } from './log-lines.ts'

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
}

/** Each is a connection to a node. */
export const maxStreams = 32

/**
 * What the pods of a service have written so far, in order of time. TL_SERVICE_UNKNOWN: it has no pods, or not this one; a pod that
 * has not started yet has written nothing. TL_REQUEST_INVALID: more pods than are read at once.
 */
export async function* readLogs(client: KubeClient, query: LogQuery): AsyncGenerator<PodLine> {
  const pods = await listPods(client, query)
  if (pods.length > maxStreams)
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `${query.name} has ${pods.length} pods, and logs of ${maxStreams} are read at once`,
      {
        hint: 'name one with --replica',
      },
    )
  const lines = mergeLines(pods.map((pod) => readPod(client, nameOf(pod), query)))
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

async function* readPod(client: KubeClient, pod: string, query: LogQuery): AsyncGenerator<PodLine> {
  const stream = await openLog(client, pod, query)
  if (stream !== undefined) yield* readLogLines(pod, stream)
}

export interface LogStart extends Pick<LogQuery, 'namespace' | 'tail' | 'sinceMs' | 'previous' | 'signal'> {
  readonly follow?: boolean
}

/** Undefined: its container has not started yet, or there is none before it, or it is gone. */
export async function openLog(
  client: KubeClient,
  pod: string,
  { namespace, tail, sinceMs, previous, follow, signal }: LogStart,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const query = new URLSearchParams({ timestamps: 'true' })
  if (tail !== undefined) query.set('tailLines', String(tail))
  if (sinceMs !== undefined) query.set('sinceTime', new Date(sinceMs).toISOString())
  if (previous === true) query.set('previous', 'true')
  if (follow === true) query.set('follow', 'true')
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`
  try {
    return await client.stream(path, signal)
  } catch (error) {
    // 400: it waits to start, or has no container before this one; 404: it is gone.
    if ([400, 404].includes(statusOf(error) ?? 0)) return undefined
    throw error
  }
}

function nameOf({ metadata }: Pod): string {
  return metadata?.name ?? ''
}

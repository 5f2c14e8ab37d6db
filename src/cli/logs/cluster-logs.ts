import { systemClock } from '../../base/clock.ts'
import { followLogs } from '../../cluster/logs/follow-logs.ts'
import type { PodLine, Told } from '../../cluster/logs/log-lines.ts'
import { readLogs } from '../../cluster/logs/read-logs.ts'
import { openKubeClient } from '../../kube/open-kube-client.ts'
import type { ClusterFlags } from '../place-flags.ts'
import { type LogFilter, type LogLine, parseLogLines } from '../view/log-lines.ts'

export interface ClusterReading {
  readonly tail: number | undefined
  readonly previous: boolean
  readonly follow: AbortSignal | undefined
  onNote(note: string): void
}

/** What the pods of a service have written, in order of time; then, where it is wanted, what they write from now on. */
export async function* readClusterLogs(
  { context, namespace }: ClusterFlags,
  { service: name, replica: pod, sinceMs }: LogFilter & { readonly service: string },
  { tail, previous, follow, onNote }: ClusterReading,
): AsyncGenerator<LogLine> {
  const client = await openKubeClient({
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  })
  try {
    const of = { namespace: client.namespace, name, pod, signal: follow }
    // By the clocks of the nodes, each of which may go otherwise than ours.
    const told = new Map<string, Told>()
    for await (const line of readLogs(client, { ...of, tail, sinceMs, previous, onNote }, told)) yield describe(line)
    if (follow === undefined) return
    const query = { ...of, clock: systemClock, signal: follow, sinceMs, told, onNote }
    for await (const line of followLogs(client, query)) yield describe(line)
  } finally {
    await client.close()
  }
}

/** The name of the pod is the replica's; a line that is no JSON has the time at which the node read it. */
function describe({ pod, atMs, time, text }: PodLine): LogLine {
  const [line] = parseLogLines(text)
  const { replica: _, ...fields } = line?.fields ?? { msg: text }
  const named = { ...fields, replica: pod }
  return {
    atMs: line === undefined || line.atMs === 0 ? atMs : line.atMs,
    fields: named,
    raw: JSON.stringify(time === '' ? named : { time: new Date(atMs).toISOString(), ...named }),
  }
}

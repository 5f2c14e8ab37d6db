import type { ContainerStatus, Pod, PodStatus } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../base/errors.ts'
import { readStart } from '../kube/http/answer.ts'
import type { KubeClient } from '../kube/kube-client.ts'
import type { DeviceHolder, Explanation } from './explain/cause.ts'
import { explainService } from './explain/explain-service.ts'
import { listGpuNodes } from './inventory/gpu-nodes.ts'
import { readInventory } from './inventory/read-inventory.ts'
import { containerName } from '../render/container.ts'
import { openLog } from './logs/read-logs.ts'
import { readLogLines } from './logs/log-lines.ts'
import type { ClusterObservation } from './observation.ts'

/** Pods in trouble mostly have the same, and every one is a connection to a node. */
const maxTails = 4
/** A stack trace, and what stands before it. */
const tailLines = 30
/** Of all these lines together. A node counts from the first of them. */
const limitBytes = 1 << 20
/** A node that does not answer is no reason to wait with all the rest. */
const tailTimeoutMs = 2000

/**
 * Why a service is as it is, with what a look alone does not hold where it says more: the last words of containers that ended, and
 * who has the devices that a pod waits for. What may not be seen of that is left out.
 */
export async function explainLook(
  client: KubeClient,
  look: ClusterObservation,
  signal?: AbortSignal,
): Promise<Explanation> {
  const explanation = explainService(look)
  const [logTails, holders] = await Promise.all([
    readTails(client, look, signal),
    explanation.causes.some(({ reason }) => reason === 'NoGpuFree') ? listHolders(client, look, signal) : [],
  ])
  if (Object.keys(logTails).length === 0 && holders.length === 0) return explanation
  return explainService(look, { logTails, holders })
}

async function readTails(
  client: KubeClient,
  { namespace, pods, events }: ClusterObservation,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const killed = new Set(events.filter(({ reason }) => reason === 'Killing').map(({ regarding }) => regarding?.name))
  const ended = pods.filter((pod) => hasEnded(pod) || killed.has(pod.metadata?.name)).slice(-maxTails)
  const tails = await Promise.all(ended.map(async (pod) => await readTail(client, namespace, pod, signal)))
  return Object.fromEntries(tails.filter((tail) => tail !== undefined))
}

async function readTail(
  client: KubeClient,
  namespace: string,
  { metadata, status }: Pod,
  signal: AbortSignal | undefined,
): Promise<readonly [string, string] | undefined> {
  const name = metadata?.name ?? ''
  // Until it is started again the one that ended is the present one.
  const { state, lastState } = serverStatus(status) ?? {}
  const previous = state?.running !== undefined && lastState?.terminated !== undefined
  const either = AbortSignal.any([AbortSignal.timeout(tailTimeoutMs), ...(signal === undefined ? [] : [signal])])
  try {
    const stream = await openLog(client, name, { namespace, tail: tailLines, limitBytes, previous, signal: either })
    if (stream === undefined) return undefined
    const bytes = await readStart(stream, limitBytes)
    // Cut off at the end, which is what is wanted.
    if (bytes.length >= limitBytes) return undefined
    const lines: string[] = []
    for await (const { text } of readLogLines(name, [bytes])) lines.push(text)
    return lines.length === 0 ? undefined : [name, lines.join('\n')]
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof TowlineError || either.aborted) return undefined
    throw error
  }
}

function hasEnded({ status }: Pod): boolean {
  const { state, lastState, ready } = serverStatus(status) ?? {}
  return state?.terminated !== undefined || (lastState?.terminated !== undefined && ready === false)
}

/** Others may stand in a pod that were added to it, and before it. */
function serverStatus(status: PodStatus | undefined): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === containerName)
}

async function listHolders(
  client: KubeClient,
  { namespace }: ClusterObservation,
  signal: AbortSignal | undefined,
): Promise<readonly DeviceHolder[]> {
  const inventory = await readInventory(client, { namespace, signal }).catch((error: unknown) => {
    signal?.throwIfAborted()
    if (error instanceof TowlineError) return undefined
    throw error
  })
  if (inventory === undefined) return []
  return listGpuNodes(inventory).flatMap(({ name, devices }) =>
    devices.flatMap(({ resource, holders }) =>
      holders.map((holder) => ({
        node: name,
        resource,
        pod: `${holder.namespace}/${holder.pod}`,
        count: holder.count,
      })),
    ),
  )
}

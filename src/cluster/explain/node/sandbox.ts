import { oneLine } from '../../../base/display.ts'
import { firstSeenMs, lastSeenMs } from '../event-time.ts'
import type { PodRule } from '../sight.ts'

const patienceMs = 30_000

/** A node cannot make the network or the process group that a pod lives in. */
export const findSandboxFailure: PodRule = (pod, { nowMs }) => {
  const waits = pod.containers.some(({ status }) => status?.state?.waiting?.reason === 'ContainerCreating')
  const event = pod.events.findLast(({ reason }) => reason === 'FailedCreatePodSandBox')
  if (!waits || event === undefined) return undefined
  const node = pod.pod.spec?.nodeName ?? '?'
  const note = oneLine(event.note ?? '')
  const runtime = /no runtime for "([^"]+)" is configured/.exec(note)?.[1]
  const sinceMs = firstSeenMs(event)
  const rest = { evidence: [note], sinceMs, blocks: 'Rollout' } as const
  if (runtime !== undefined)
    return {
      ...rest,
      reason: 'RuntimeMissing',
      sentence: `the node ${node} does not have the container runtime ${runtime}`,
      advice: `install it on the node (for GPUs: the NVIDIA container toolkit), or choose other nodes with \`pod.nodeSelector\``,
      final: true,
    }
  return {
    ...rest,
    reason: 'NodeCannotStartPods',
    sentence: `the node ${node} cannot give it a network: ${/: ([^:]+)$/.exec(note)?.[1] ?? note}`,
    advice: `see with \`kubectl describe node ${node}\` what is wrong with it, or drain it`,
    final: nowMs - sinceMs >= patienceMs && nowMs - lastSeenMs(event) < patienceMs,
  }
}

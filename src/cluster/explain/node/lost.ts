import { readTimeMs } from '../event-time.ts'
import { type PodRule, conditionSinceMs } from '../sight.ts'

/** The node of a pod no longer answers. */
export const findLostNode: PodRule = (pod, { look }) => {
  const name = pod.pod.spec?.nodeName
  if (name === undefined) return undefined
  const node = look.nodes.find(({ metadata }) => metadata?.name === name)
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')
  const event = pod.events.findLast(({ reason }) => reason === 'NodeNotReady')
  const isDown = ready === undefined ? event !== undefined : ready.status !== 'True'
  const isUnready = pod.pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False')
  if (!isDown || isUnready !== true) return undefined
  return {
    reason: 'NodeLost',
    sentence: `its node ${name} does not answer the cluster any more`,
    advice: `wait: the pod gets another node five minutes after the node was lost; \`kubectl describe node ${name}\` shows what is wrong with it`,
    evidence: [ready?.message ?? event?.note ?? 'the node is not ready'],
    final: false,
    sinceMs: readTimeMs(ready?.lastTransitionTime) ?? conditionSinceMs(pod.pod, 'Ready', 'False') ?? look.atMs,
    blocks: 'Rollout',
  }
}

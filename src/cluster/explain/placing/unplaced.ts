import { oneLine } from '../../../base/display.ts'
import type { Finding, Told } from '../cause.ts'
import { firstSeenMs } from '../event-time.ts'
import { type PodRule, type PodSight, type Sight, conditionSinceMs } from '../sight.ts'
import { mayGrow } from './cluster-growth.ts'
import { tellClaim } from './claim.ts'
import { isLargeEnough, listUntolerated, listWishes, matchesLabels, requestsOf } from './node-match.ts'
import { readInsufficient, readSchedulerMessage } from './scheduler-message.ts'
import { tellSelector } from './selector.ts'
import { tellShortage } from './shortage.ts'
import { tellTaint } from './taint.ts'

/** So long the scheduler may still be about to find a place. */
const patienceMs = 2000
/** So long whoever adds nodes may take to say that it does. */
const growthPatienceMs = 30_000

/** The scheduler finds no node for a pod. */
export const findUnplaced: PodRule = (pod, sight) => {
  const scheduled = pod.pod.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  )
  if (scheduled === undefined) return undefined
  const sinceMs = conditionSinceMs(pod.pod, 'PodScheduled', 'False') ?? pod.createdMs
  if (scheduled.reason === 'SchedulingGated') return tellGated(pod, sinceMs)
  if (scheduled.reason !== 'Unschedulable') return undefined
  const message = scheduled.message ?? ''
  const grows = pod.events.findLast(({ reason }) => reason === 'TriggeredScaleUp' || reason === 'Nominated')
  const refusal = pod.events.findLast(({ reason }) => reason === 'NotTriggerScaleUp')
  const evidence = [message, ...(refusal?.note === undefined ? [] : [refusal.note])].map(oneLine)
  if (grows !== undefined && (refusal === undefined || firstSeenMs(refusal) < firstSeenMs(grows)))
    return {
      reason: 'WaitsForNode',
      sentence: 'no node has room for it yet, and one is being added',
      advice: 'wait: it starts there when the node has come',
      evidence: [oneLine(grows.note ?? ''), ...evidence],
      final: false,
      sinceMs,
      blocks: 'Rollout',
    }
  const mayCome = refusal === undefined && mayGrow(sight.look.nodes)
  const isPatient = sight.nowMs - sinceMs < (mayCome ? growthPatienceMs : patienceMs)
  // Its place may be the one of a replica that is on its way out.
  const isMakingRoom = sight.look.pods.some(({ metadata }) => metadata?.deletionTimestamp !== undefined)
  const { final = true, ...told } = tellHindrance(message, pod, sight)
  return { ...told, evidence, final: final && !isPatient && !isMakingRoom, sinceMs, blocks: 'Rollout' }
}

/**
 * Which of the scheduler's reasons is the one that matters: it asks for taints first, so that a node that does not fit in any way
 * is told as tainted. Where nodes may be seen, only those that could take the pod count.
 */
function tellHindrance(message: string, pod: PodSight, sight: Sight): Told {
  const { hindrances, text } = readSchedulerMessage(message)
  const claim = tellClaim(text, sight.look.namespace)
  if (claim !== undefined) return claim
  const { nodes } = sight.look
  const short = hindrances.map(readInsufficient).filter((resource) => resource !== undefined)
  if (nodes.length > 0) {
    const wishes = listWishes(pod.pod)
    const chosen = nodes.filter((node) => matchesLabels(wishes, node))
    if (chosen.length === 0) return tellSelector(wishes, nodes)
    const large = chosen.filter((node) => isLargeEnough(node, requestsOf(pod.pod)))
    const tainted = large.filter((node) => listUntolerated(pod.pod, node).length > 0)
    if (large.length > 0 && tainted.length === large.length) return tellTaint(pod.pod, tainted)
    if (short.length > 0 || large.length === 0) return tellShortage(short, pod.pod, large, chosen, sight)
  } else {
    if (short.length > 0) return tellShortage(short, pod.pod, [], [], sight)
    const taint = hindrances.find((hindrance) => hindrance.text.includes('untolerated taint'))
    if (taint !== undefined) return tellUnseenTaint(taint.text)
    if (hindrances.some((hindrance) => hindrance.text.includes('node affinity/selector')))
      return tellSelector(listWishes(pod.pod), [])
  }
  return {
    reason: 'Unplaceable',
    sentence: `no node can take it: ${oneLine(text)}`,
    advice: 'loosen what `pod` asks of nodes, or give the cluster a node that fits',
  }
}

function tellUnseenTaint(text: string): Told {
  const taint = /\{([^}]+)\}/.exec(text)?.[1]
  return {
    reason: 'Tainted',
    sentence:
      taint === undefined
        ? 'the nodes that are left are kept free by a taint that it does not tolerate'
        : `the nodes that are left are kept free by the taint ${taint}`,
    advice:
      'add the taint to `pod.tolerations`; `kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints` shows those of each node',
  }
}

function tellGated({ pod }: PodSight, sinceMs: number): Finding {
  const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name)
  return {
    reason: 'WaitsForAdmission',
    sentence: `it is held back by ${gates.join(', ') || 'a scheduling gate'}, until a queue lets it in`,
    advice: 'wait, or ask whoever keeps the queue for more quota',
    evidence: gates,
    final: false,
    sinceMs,
    blocks: 'Rollout',
  }
}

import { oneLine } from '../../../base/display.ts'
import type { Told } from '../cause.ts'
import { type PodRule, conditionSinceMs } from '../sight.ts'

/** A node has ended a pod, or did not take it. Another pod takes its place: what is left is the reason why. */
export const findEvicted: PodRule = (pod, { nowMs }) => {
  const { phase, reason = '', message = '' } = pod.pod.status ?? {}
  if (phase !== 'Failed') return undefined
  const node = pod.pod.spec?.nodeName ?? '?'
  return {
    ...tellEnd(reason, oneLine(message), node),
    evidence: [`${reason}: ${oneLine(message)}`],
    final: false,
    sinceMs:
      conditionSinceMs(pod.pod, 'DisruptionTarget', 'True') ?? conditionSinceMs(pod.pod, 'Ready', 'False') ?? nowMs,
    blocks: 'Rollout',
  }
}

function tellEnd(reason: string, message: string, node: string): Told {
  if (reason === 'Evicted') {
    const scarce = /low on resource: ([a-z-]+)/.exec(message)?.[1]
    if (scarce !== undefined)
      return {
        reason: 'Evicted',
        sentence: `the node ${node} put it out because ${scarce} ran out there`,
        advice:
          scarce === 'memory'
            ? 'set `resources.memory` as high as the replica really needs, so that it is placed where there is enough'
            : 'free the disk of the node, or write less into the container',
      }
    const volume = /EmptyDir volume "([^"]+)" exceeds the limit "([^"]+)"/.exec(message)
    if (volume !== null)
      return {
        reason: 'Evicted',
        sentence: `the node ${node} put it out because its volume ${volume[1]} outgrew its limit of ${volume[2]}`,
        advice: 'raise the limit of that volume in `pod.volumes`, or write less into it',
      }
  }
  if (reason === 'UnexpectedAdmissionError' || reason.startsWith('OutOf'))
    return {
      reason: 'NodeRefused',
      sentence: `the node ${node} did not take it: ${message || reason}`,
      advice:
        'nothing: another pod takes its place; where it comes again and again, see to the device plugin of that node',
    }
  if (reason === 'NodeShutdown' || reason === 'Terminated')
    return {
      reason: 'NodeShutDown',
      sentence: `the node ${node} was shut down`,
      advice: 'nothing: another pod takes its place',
    }
  return {
    reason: 'PodFailed',
    sentence: `the node ${node} ended it${message === '' ? '' : `: ${message}`}${reason === '' ? '' : ` (${reason})`}`,
    advice: 'nothing: another pod takes its place; where it comes again and again, the reason above has to be mended',
  }
}

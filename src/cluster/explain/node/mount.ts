import { oneLine } from '../../../base/display.ts'
import type { Told } from '../cause.ts'
import { firstSeenMs, lastSeenMs } from '../event-time.ts'
import type { PodRule } from '../sight.ts'

/** So long the object that a volume is made of may be on its way, and a disk may still hang on the node that had it before. */
const patienceMs = { missing: 3000, other: 60_000 } as const

/** A volume of a pod cannot be mounted on its node. */
export const findMountFailure: PodRule = (pod, { nowMs, look: { namespace } }) => {
  const waits = pod.containers.some(({ status }) => {
    const reason = status?.state?.waiting?.reason
    return reason === 'ContainerCreating' || reason === 'PodInitializing'
  })
  const event = pod.events.findLast(({ reason }) => reason === 'FailedMount' || reason === 'FailedAttachVolume')
  if (!waits || event?.note === undefined) return undefined
  const sinceMs = firstSeenMs(event)
  const told = tellMount(event.note, namespace)
  const missing = told.reason !== 'VolumeNotMounted'
  return {
    ...told,
    evidence: [`${event.reason}: ${oneLine(event.note)}`],
    // What failed long ago and not since may have got through.
    final: nowMs - sinceMs >= patienceMs[missing ? 'missing' : 'other'] && nowMs - lastSeenMs(event) < 150_000,
    sinceMs,
    blocks: 'Rollout',
  }
}

function tellMount(note: string, namespace: string): Told {
  const volume = /volume "([^"]+)"/.exec(note)?.[1] ?? '?'
  const object = /: (?:object "[^"]*"\/"([^"]+)" not registered|(secret|configmap) "([^"]+)" not found)/.exec(note)
  if (object?.[3] !== undefined) {
    const kind = object[2] === 'secret' ? 'Secret' : 'ConfigMap'
    return {
      reason: `${kind}Missing`,
      sentence: `the ${kind} ${object[3]}, of which the volume ${volume} is made, does not exist in namespace ${namespace}`,
      advice: 'create it, or correct its name in `pod.volumes`',
    }
  }
  const key = /references non-existent (?:config|secret) key: (\S+)/.exec(note)?.[1]
  if (key !== undefined)
    return {
      reason: 'VolumeKeyMissing',
      sentence: `the volume ${volume} wants the key ${key}, which its Secret or ConfigMap does not have`,
      advice: 'add the key, or correct it in `pod.volumes`',
    }
  const why = /: ([^:]*(?:: [^:]+)?)$/.exec(note)?.[1] ?? note
  return {
    reason: 'VolumeNotMounted',
    sentence: `the volume ${volume} cannot be mounted: ${oneLine(why)}`,
    advice: 'correct it in `pod.volumes`, or see to it that its storage answers the node',
  }
}

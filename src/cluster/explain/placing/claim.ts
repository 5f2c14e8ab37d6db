import type { Told } from '../cause.ts'

/** A volume claim keeps a pod from being placed. */
export function tellClaim(text: string, namespace: string): Told | undefined {
  const missing = /persistentvolumeclaim "([^"]+)" not found/.exec(text)?.[1]
  if (missing !== undefined)
    return {
      reason: 'ClaimMissing',
      sentence: `the PersistentVolumeClaim ${missing} does not exist in namespace ${namespace}`,
      advice: 'create it, or correct its name in `pod.volumes`',
    }
  if (/unbound immediate PersistentVolumeClaims/.test(text))
    return {
      reason: 'ClaimUnbound',
      sentence: 'its PersistentVolumeClaim has no volume yet',
      advice: `see with \`kubectl get pvc -n ${namespace}\` what it waits for: mostly a storage class that does not exist`,
    }
  if (/volume node affinity conflict/.test(text))
    return {
      reason: 'ClaimElsewhere',
      sentence: 'its volume can only be used in a part of the cluster where no node fits the pod',
      advice: 'choose nodes of that zone with `pod.nodeSelector`, or a claim in the zone of the nodes',
    }
  return undefined
}

import type { PodSpec } from 'kubernetes-types/core/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { needsOfPod } from '../apply/needs-of-pod.ts'
import { unlessForbidden } from '../forbidden.ts'
import { refuse } from './rollback-target.ts'

export interface NeedsQuery {
  readonly namespace: string
  /** Whose pods these are: `revision 3 of cats`. */
  readonly subject: string
  readonly signal?: AbortSignal
}

/**
 * What pods of an earlier revision are made with may have been taken away by hand. TL_ROLLOUT_REFUSED names what is gone. Whoever may
 * not look goes on: a pod that cannot be made says so itself, and a rollback is urgent.
 */
export async function checkNeeds(
  client: KubeClient,
  spec: PodSpec | undefined,
  { subject, ...place }: NeedsQuery,
): Promise<void> {
  if (spec === undefined) return
  for (const { kind, name, isOptional } of needsOfPod(spec)) {
    if (isOptional) continue
    const found = await unlessForbidden(client.get(resourcesOf[kind], name, place), () => 'Unseen' as const)
    if (found === undefined)
      throw refuse(
        `${subject} needs ${kind} ${name}, which is gone`,
        'deploy the spec of that revision again: it makes anew what was made by a deploy',
      )
  }
}

const resourcesOf = { ConfigMap: resources.configMaps, ServiceAccount: resources.serviceAccounts } as const

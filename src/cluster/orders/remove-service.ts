import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { listOwn } from '../apply/own-objects.ts'
import { serviceLabel } from '../apply/ownership.ts'
import { resourceOf } from '../apply/resource-of.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'

export interface Removal extends ServicePlace {
  readonly clock: Clock
  /** Pods that are left. */
  onProgress?(podsLeft: number): void
}

/** Nobody is sent here any more, and nobody starts new pods. */
const first: readonly Resource[] = [resources.httpRoutes, resources.horizontalPodAutoscalers]
/** Pods that end answer what they owe, and need all of this until they are gone. */
const last: readonly Resource[] = [
  resources.services,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
  resources.configMaps,
  resources.serviceAccounts,
]
const lookEveryMs = 500
/** Beyond the time that pods may take to end. */
const slackMs = 30_000

/**
 * Takes away everything of a service, in an order in which no request is lost before callers leave. Resolves when all of it is gone.
 * Can be called again after a failure: it does the rest. TL_SERVICE_UNKNOWN: nothing of it is there.
 */
export async function removeService(client: KubeClient, removal: Removal): Promise<void> {
  const { namespace, name, signal } = removal
  const place = { namespace, ...(signal === undefined ? {} : { signal }) }
  const { objects, unseen } = await listOwn(client, [...first, resources.deployments, ...last], removal)
  if (objects.length === 0) await findDeployment(client, removal)
  const removeAll = async (kinds: readonly Resource[]): Promise<void> => {
    for (const object of objects.filter((each) => kinds.includes(resourceOf(each)))) {
      const { name: own = '', uid } = object.metadata ?? {}
      await client.remove(resourceOf(object), own, { ...place, ...(uid === undefined ? {} : { uid }) })
    }
  }
  await removeAll(first)
  await removeAll([resources.deployments])
  await awaitPods(client, removal)
  await removeAll(last)
  if (unseen.length > 0)
    throw new TowlineError('TL_CLUSTER_FORBIDDEN', `you may not list ${unseen.join(', ')} in namespace ${namespace}`, {
      hint: `everything else of ${name} is gone; what there is of these has the label ${serviceLabel}=${name}`,
    })
}

async function awaitPods(client: KubeClient, { namespace, name, clock, signal, onProgress }: Removal): Promise<void> {
  const place = { namespace, labelSelector: `${serviceLabel}=${name}`, ...(signal === undefined ? {} : { signal }) }
  let endMs: number | undefined
  for (;;) {
    const { items } = await client.list<Pod>(resources.pods, place)
    onProgress?.(items.length)
    if (items.length === 0) return
    const graceS = Math.max(...items.map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 30))
    endMs ??= clock.monotonicMs() + graceS * 1000 + slackMs
    if (clock.monotonicMs() >= endMs) throw explainStuck(items, name)
    await clock.sleep(lookEveryMs, signal)
  }
}

function explainStuck(pods: readonly Pod[], name: string): TowlineError {
  const names = pods.map(({ metadata, spec }) => `${metadata?.name} on ${spec?.nodeName ?? 'no node'}`)
  return new TowlineError('TL_CLUSTER_FAILED', `pods of ${name} do not end: ${names.slice(0, 4).join(', ')}`, {
    hint: 'a node that is gone keeps its pods: look at it with `kubectl get nodes`; once they are gone, `towline down` does the rest',
  })
}

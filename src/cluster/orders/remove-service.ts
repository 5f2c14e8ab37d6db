import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { listOwn } from '../apply/own-objects.ts'
import { serviceLabel } from '../apply/ownership.ts'
import { resourceOf } from '../apply/resource-of.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'

export interface Removal extends ServicePlace {
  readonly clock: Clock
}

/** Nobody is sent here any more, and nobody starts new pods. */
const first: readonly Resource[] = [resources.httpRoutes, resources.horizontalPodAutoscalers]
/** What the cluster itself takes away after the Deployment, but for what was cut off from it. */
const dependents: readonly Resource[] = [resources.replicaSets, resources.pods]
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
 * Can be called again after a failure: it does the rest. TL_SERVICE_UNKNOWN: nothing of it is there. TL_CLUSTER_FORBIDDEN: kinds that
 * may not be listed are named, at once where nobody could know when the rest may go.
 */
export async function removeService(client: KubeClient, removal: Removal): Promise<void> {
  const { namespace, name, signal } = removal
  const place = { namespace, ...(signal === undefined ? {} : { signal }) }
  const { objects, unseen } = await listOwn(client, [...first, resources.deployments, ...dependents, ...last], removal)
  const vital = unseen.filter((plural) => plural === resources.deployments.plural || plural === resources.pods.plural)
  if (vital.length > 0) throw explainUnseen(removal, vital, 'nothing was taken away')
  if (objects.length === 0) await findDeployment(client, removal)
  const removeAll = async (kinds: readonly Resource[], from: readonly KubeObject[] = objects): Promise<void> => {
    for (const object of from.filter((each) => kinds.includes(resourceOf(each)))) {
      const { name: own = '', uid } = object.metadata ?? {}
      await client.remove(resourceOf(object), own, { ...place, ...(uid === undefined ? {} : { uid }) })
    }
  }
  await removeAll(first)
  await removeAll([resources.deployments])
  await removeAll(
    dependents,
    objects.filter(({ metadata }) => (metadata?.ownerReferences ?? []).length === 0),
  )
  await awaitPods(client, removal)
  await removeAll(last)
  const left = unseen.filter((plural) => plural !== resources.replicaSets.plural)
  if (left.length > 0) throw explainUnseen(removal, left, `everything else of ${name} is gone`)
}

/** And the ReplicaSets, which could make new ones. */
async function awaitPods(client: KubeClient, removal: Removal): Promise<void> {
  const { name, clock, signal } = removal
  let endMs: number | undefined
  for (;;) {
    const { objects } = await listOwn(client, dependents, removal)
    const pods = objects.filter(({ kind }) => kind === 'Pod') as unknown as readonly Pod[] // it was asked for as such
    if (objects.length === 0) return
    const graceS = Math.max(0, ...pods.map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 30))
    endMs ??= clock.monotonicMs() + graceS * 1000 + slackMs
    if (clock.monotonicMs() >= endMs) throw pods.length === 0 ? explainKept(name) : explainStuck(pods, name)
    await clock.sleep(lookEveryMs, signal)
  }
}

function explainUnseen({ namespace, name }: Removal, plurals: readonly string[], done: string): TowlineError {
  return new TowlineError('TL_CLUSTER_FORBIDDEN', `you may not list ${plurals.join(', ')} in namespace ${namespace}`, {
    hint: `${done}; what there is of these has the label ${serviceLabel}=${name}`,
  })
}

function explainStuck(pods: readonly Pod[], name: string): TowlineError {
  const names = pods.map(({ metadata, spec }) => `${metadata?.name} on ${spec?.nodeName ?? 'no node'}`)
  const more = names.length > 4 ? ` and ${names.length - 4} more` : ''
  return new TowlineError('TL_CLUSTER_FAILED', `pods of ${name} do not end: ${names.slice(0, 4).join(', ')}${more}`, {
    hint: 'a node that is gone keeps its pods: look at it with `kubectl get nodes`; once they are gone, `towline down` does the rest',
  })
}

function explainKept(name: string): TowlineError {
  return new TowlineError('TL_CLUSTER_FAILED', `the cluster does not take away the ReplicaSets of ${name}`, {
    hint: 'its controller manager may be away; once they are gone, `towline down` does the rest',
  })
}

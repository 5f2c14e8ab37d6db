import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { isCountOwnedBySpec } from '../apply/ownership.ts'
import { resourceOf } from '../apply/resource-of.ts'
import { countOf, setReplicas } from '../apply/set-replicas.ts'
import { managers } from '../concerns.ts'
import type { PreparedDeploy } from '../plan/prepare-deploy.ts'

/** Only what looks at the Deployment comes after it. */
const after = new Set(['PodDisruptionBudget', 'HorizontalPodAutoscaler', 'HTTPRoute'])

/**
 * Writes what was planned. Each write can be repeated: after a failure in between the same deploy again does the rest. An autoscaler
 * that is to go goes before the number is set, or it would set it back.
 */
export async function carryOut(
  client: KubeClient,
  { plan: { namespace, name }, writes, removals, replicas, live }: PreparedDeploy,
  signal?: AbortSignal,
): Promise<void> {
  const place = { namespace, ...(signal === undefined ? {} : { signal }) }
  const apply = async (object: KubeObject): Promise<KubeObject> =>
    await client.apply(resourceOf(object), object, { ...place, fieldManager: managers.spec })
  const remove = async (object: KubeObject): Promise<void> => {
    const { name = '', uid } = object.metadata ?? {}
    await client.remove(resourceOf(object), name, { ...place, ...(uid === undefined ? {} : { uid }) })
  }
  const isScaler = ({ kind }: KubeObject): boolean => kind === 'HorizontalPodAutoscaler'

  for (const object of removals.filter(isScaler)) await remove(object)
  if (live !== undefined && isCountOwnedBySpec(live)) await setReplicas(client, live, countOf(live), place)
  for (const object of writes.filter(({ kind = '' }) => !after.has(kind))) await apply(object)
  if (replicas.kind === 'Set') {
    const deployment = await client.get<Deployment>(resources.deployments, name, place)
    if (deployment !== undefined) await setReplicas(client, deployment, replicas, place)
  }
  for (const object of writes.filter(({ kind = '' }) => after.has(kind))) await apply(object)
  for (const object of removals.filter((each) => !isScaler(each))) await remove(object)
}

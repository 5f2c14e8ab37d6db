import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { countOf, setReplicas } from '../apply/set-replicas.ts'
import { type ServicePlace, findDeployment } from './find-service.ts'

/**
 * So many from now on, as on a laptop: an autoscaler goes on from there, and from 0 it does not. TL_REQUEST_INVALID out of its bounds:
 * it would take it back at once.
 */
export async function scaleService(
  client: KubeClient,
  { replicas, ...place }: ServicePlace & { readonly replicas: number },
): Promise<Deployment> {
  const { namespace, name, signal } = place
  const cut = signal === undefined ? {} : { signal }
  const deployment = await findDeployment(client, place)
  const autoscaler = await client.get<HorizontalPodAutoscaler>(resources.horizontalPodAutoscalers, name, {
    namespace,
    ...cut,
  })
  const { minReplicas = 1, maxReplicas } = autoscaler?.spec ?? {}
  if (maxReplicas !== undefined && replicas !== 0 && (replicas < minReplicas || replicas > maxReplicas))
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `autoscaling keeps ${name} between ${minReplicas} and ${maxReplicas}, not ${replicas}`,
      { hint: 'change minReplicas or maxReplicas in the spec' },
    )
  return await setReplicas(client, deployment, { ...countOf(deployment), replicas }, cut)
}

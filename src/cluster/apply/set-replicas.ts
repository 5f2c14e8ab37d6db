import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { managers } from '../concerns.ts'

export interface ReplicasQuery {
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/**
 * Of a Deployment that is there. An apply and no update of the scale subresource: an update that changes nothing owns nothing,
 * and the number would fall to 1 as soon as who owned it lets it go. The uid keeps it from making another Deployment.
 */
export async function setReplicas(
  client: KubeClient,
  { metadata }: Deployment,
  replicas: number,
  query: ReplicasQuery = {},
): Promise<Deployment> {
  const { name, namespace, uid } = metadata ?? {}
  return await client.apply<Deployment>(
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
      spec: { replicas },
    } as Deployment,
    { ...query, fieldManager: managers.scale },
  )
}

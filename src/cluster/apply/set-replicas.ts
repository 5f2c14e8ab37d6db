import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { keys } from '../../render/names.ts'
import { managers } from '../concerns.ts'
import { identityOf } from './identity.ts'

export interface ReplicasQuery {
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

export interface Count {
  readonly replicas: number
  /** Of the spec that was applied last; null: an autoscaler counts. */
  readonly specReplicas: number | null
}

/**
 * Of a Deployment that is there: the number, and in the same write what is noted of the spec's. An apply and no update of the scale subresource: an update that changes nothing owns nothing,
 * and the number would fall to 1 as soon as who owned it lets it go.
 */
export async function setReplicas(
  client: KubeClient,
  deployment: Deployment,
  { replicas, specReplicas }: Count,
  query: ReplicasQuery = {},
): Promise<Deployment> {
  return await client.apply<Deployment>(
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        ...identityOf(deployment),
        ...(specReplicas === null ? {} : { annotations: { [keys.specReplicas]: String(specReplicas) } }),
      },
      spec: { replicas },
    } as KubeObject,
    { ...query, fieldManager: managers.scale },
  )
}

/** What is noted of the spec that was applied last; null: nothing. */
export function readSpecReplicas({ metadata }: Deployment): number | null {
  const text = metadata?.annotations?.[keys.specReplicas]
  return text === undefined ? null : Number(text)
}

/** As it is. */
export function countOf(deployment: Deployment): Count {
  return { replicas: deployment.spec?.replicas ?? 1, specReplicas: readSpecReplicas(deployment) }
}

/** What the spec's manager says of an object: the number has a manager of its own, and so has what is noted of it. */
export function withoutCount(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object
  const { metadata, spec: whole } = object as Deployment
  const { replicas: _, ...spec } = whole ?? ({} as NonNullable<Deployment['spec']>)
  const { annotations: { [keys.specReplicas]: __, ...annotations } = {}, ...named } = metadata ?? {}
  // An empty map would be owned, too, and is not stored.
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations }
  return { ...object, metadata: { ...named, ...noted }, spec } as KubeObject
}

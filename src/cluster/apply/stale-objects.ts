import type { ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { nameObject } from './resource-of.ts'
import { isOfService, serviceLabel } from './ownership.ts'

export interface StaleQuery {
  readonly namespace: string
  readonly name: string
  readonly signal?: AbortSignal
}

/** Kinds that come and go with a spec. A Deployment and a Service are always there. */
const comingAndGoing: readonly Resource[] = [
  resources.horizontalPodAutoscalers,
  resources.podDisruptionBudgets,
  resources.httpRoutes,
  resources.networkPolicies,
  resources.configMaps,
  resources.serviceAccounts,
]

/** What this service has and `rendered` leaves out; what an earlier revision needs to come back stays. Kinds that may not be listed are named. */
export async function findStale(
  client: KubeClient,
  rendered: readonly KubeObject[],
  { namespace, name, signal }: StaleQuery,
): Promise<{ readonly stale: readonly KubeObject[]; readonly unseen: readonly string[] }> {
  const place = { namespace, labelSelector: `${serviceLabel}=${name}`, ...(signal === undefined ? {} : { signal }) }
  const unseen: string[] = []
  const list = async (resource: Resource): Promise<readonly KubeObject[]> => {
    try {
      if (resource.group === resources.httpRoutes.group && !(await client.serves(resource))) return []
      const { items } = await client.list(resource, place)
      // Items of a list do not say what they are.
      const { group, version, kind } = resource
      const apiVersion = group === '' ? version : `${group}/${version}`
      return items.map((item) => ({ ...item, apiVersion, kind }))
    } catch (error) {
      if (!(error instanceof TowlineError) || error.code !== 'TL_CLUSTER_FORBIDDEN') throw error
      unseen.push(resource.plural)
      return []
    }
  }
  const [sets, ...lists] = await Promise.all([list(resources.replicaSets), ...comingAndGoing.map(list)])
  const kept = new Set(rendered.map(nameObject))
  // Who may not see what is needed takes nothing away.
  const needed = unseen.includes('replicasets') ? undefined : needsOf(sets as readonly ReplicaSet[])
  const stale = lists.flat().filter((object) => {
    if (kept.has(nameObject(object)) || !isOfService(object, name)) return false
    return !['ConfigMap', 'ServiceAccount'].includes(object.kind ?? '') || needed?.has(nameObject(object)) === false
  })
  return { stale, unseen }
}

/** By what pods of these would be made with. */
function needsOf(sets: readonly ReplicaSet[]): ReadonlySet<string> {
  const specs = sets.map(({ spec }) => spec?.template?.spec).filter((spec) => spec !== undefined)
  return new Set(specs.flatMap(namesIn))
}

function namesIn({ volumes = [], serviceAccountName }: PodSpec): string[] {
  const maps = volumes.map(({ configMap }) => configMap?.name).filter((name) => name !== undefined)
  return [...maps.map((name) => `ConfigMap ${name}`), `ServiceAccount ${serviceAccountName ?? 'default'}`]
}

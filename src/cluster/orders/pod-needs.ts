import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
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
  for (const [resource, name] of needsOf(spec)) {
    if (!(await isThere(client, resource, name, place)))
      throw refuse(
        `${subject} needs ${resource.kind} ${name}, which is gone`,
        'deploy the spec of that revision again: it makes it anew',
      )
  }
}

function needsOf({ volumes = [], serviceAccountName }: PodSpec = { containers: [] }): (readonly [Resource, string])[] {
  const maps = volumes
    .flatMap(({ configMap, projected }) => [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)])
    .filter((map) => map?.optional !== true)
    .flatMap((map) => (map?.name === undefined ? [] : [map.name]))
  const accounts = serviceAccountName === undefined ? [] : [serviceAccountName]
  return [
    ...maps.map((name) => [resources.configMaps, name] as const),
    ...accounts.map((name) => [resources.serviceAccounts, name] as const),
  ]
}

async function isThere(
  client: KubeClient,
  resource: Resource,
  name: string,
  place: Omit<NeedsQuery, 'subject'>,
): Promise<boolean> {
  try {
    return (await client.get(resource, name, place)) !== undefined
  } catch (error) {
    if (error instanceof TowlineError && error.code === 'TL_CLUSTER_FORBIDDEN') return true
    throw error
  }
}

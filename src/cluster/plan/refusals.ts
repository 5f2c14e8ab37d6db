import { TowlineError } from '../../base/errors.ts'
import type { Placement } from '../../decide/placement/placement.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { resourceOf } from '../apply/resource-of.ts'
import type { Refusal } from './deploy-plan.ts'

interface Place {
  readonly namespace: string
  readonly signal?: AbortSignal
}

const askForRole = 'ask whoever runs the cluster for a role with this right'

/** No namespace, or one that goes. None where it may not be seen: the writes themselves will tell. */
export async function refuseNamespace(client: KubeClient, { namespace, ...cut }: Place): Promise<readonly Refusal[]> {
  const found = await client.get(resources.namespaces, namespace, cut).catch((error: unknown) => {
    if (error instanceof TowlineError && error.code === 'TL_CLUSTER_FORBIDDEN') return 'Unseen' as const
    throw error
  })
  if (found === 'Unseen') return []
  if (found === undefined)
    return [
      {
        code: 'TL_CLUSTER_REFUSED',
        detail: `there is no namespace ${namespace} in ${client.context}`,
        hint: `make it first: kubectl create namespace ${namespace} --context ${client.context}`,
      },
    ]
  if (found.metadata?.deletionTimestamp === undefined) return []
  return [
    {
      code: 'TL_CLUSTER_CONFLICT',
      detail: `the namespace ${namespace} of ${client.context} is being taken away`,
      hint: 'wait until it is gone and make it anew, or name another one',
    },
  ]
}

/** Who may not see pods could not tell whether the new ones get ready, nor bring the old ones back. */
export async function refuseBlindness(client: KubeClient, place: Place): Promise<readonly Refusal[]> {
  if (await client.may('list', resources.pods, place)) return []
  return [
    {
      code: 'TL_CLUSTER_FORBIDDEN',
      detail: `you may not list pods in namespace ${place.namespace}, and nobody would see whether the new ones get ready`,
      hint: `${askForRole}; \`--no-wait\` deploys without looking`,
    },
  ]
}

export async function refuseRemovals(
  client: KubeClient,
  stale: readonly KubeObject[],
  place: Place,
): Promise<readonly Refusal[]> {
  const kinds = [...new Set(stale.map(resourceOf))]
  const allowed = await Promise.all(kinds.map(async (kind) => await client.may('delete', kind, place)))
  return kinds
    .filter((_, index) => allowed[index] === false)
    .map(({ plural }) => ({
      code: 'TL_CLUSTER_FORBIDDEN',
      detail: `you may not delete ${plural} in namespace ${place.namespace}, and an earlier spec left some that are to go`,
      hint: askForRole,
    }))
}

export function refuseImpossible({ reason, advice }: Placement): Refusal {
  return { code: 'TL_DEPLOY_IMPOSSIBLE', detail: reason, ...(advice === undefined ? {} : { hint: advice }) }
}

/** One lack of rights keeps from several objects. */
export function uniqueByDetail(refusals: readonly Refusal[]): readonly Refusal[] {
  return [...new Map(refusals.map((refusal) => [refusal.detail, refusal])).values()]
}

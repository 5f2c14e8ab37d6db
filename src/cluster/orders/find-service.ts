import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { TowlineError } from '../../base/errors.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { resources } from '../../kube/resources.ts'
import { isOfService, serviceLabel } from '../apply/ownership.ts'

export interface ServicePlace {
  readonly namespace: string
  readonly name: string
  readonly signal?: AbortSignal
}

/** Of all services of a namespace. */
export async function listDeployments(
  client: KubeClient,
  { namespace, signal }: Omit<ServicePlace, 'name'>,
): Promise<readonly Deployment[]> {
  const cut = signal === undefined ? {} : { signal }
  const { items } = await client.list<Deployment>(resources.deployments, {
    namespace,
    labelSelector: `app.kubernetes.io/managed-by=towline,${serviceLabel}`,
    ...cut,
  })
  return items
}

/** TL_SERVICE_UNKNOWN names those there are. */
export async function findDeployment(client: KubeClient, place: ServicePlace): Promise<Deployment> {
  const { namespace, name, signal } = place
  const cut = signal === undefined ? {} : { signal }
  const found = await client.get<Deployment>(resources.deployments, name, { namespace, ...cut })
  if (found !== undefined && isOfService(found, name)) return found
  const names = (await listDeployments(client, place)).map(({ metadata }) => metadata?.name ?? '')
  const known = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`
  const foreign = found === undefined ? '' : `, and Deployment ${name} is not of Towline`
  throw new TowlineError('TL_SERVICE_UNKNOWN', `\`${name}\` (in namespace ${namespace} ${known}${foreign})`)
}

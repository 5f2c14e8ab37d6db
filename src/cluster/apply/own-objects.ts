import type { KubeClient } from '../../kube/kube-client.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { unlessForbidden } from '../forbidden.ts'
import { isOfService, serviceLabel } from './ownership.ts'

export interface OwnQuery {
  readonly namespace: string
  readonly name: string
  readonly signal?: AbortSignal
}

export interface OwnObjects {
  readonly objects: readonly KubeObject[]
  /** Kinds that may not be listed, by their plural. */
  readonly unseen: readonly string[]
}

/** What a service has of these kinds. A kind that the server does not serve has none. */
export async function listOwn(
  client: KubeClient,
  kinds: readonly Resource[],
  { namespace, name, signal }: OwnQuery,
): Promise<OwnObjects> {
  const place = { namespace, labelSelector: `${serviceLabel}=${name}`, ...(signal === undefined ? {} : { signal }) }
  const list = async (resource: Resource): Promise<readonly KubeObject[]> => {
    const { group, version, kind } = resource
    if (group === resources.httpRoutes.group && !(await client.serves(resource))) return []
    const { items } = await client.list(resource, place)
    // Items of a list do not say what they are.
    const apiVersion = group === '' ? version : `${group}/${version}`
    return items.map((item) => ({ ...item, apiVersion, kind }))
  }
  const unseen: string[] = []
  const lists = await Promise.all(
    kinds.map((resource) =>
      unlessForbidden(list(resource), () => {
        unseen.push(resource.plural)
        return []
      }),
    ),
  )
  return { objects: lists.flat().filter((object) => object.kind === 'ReplicaSet' || isOfService(object, name)), unseen }
}

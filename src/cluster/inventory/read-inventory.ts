import type { Node, Pod, ResourceQuota } from 'kubernetes-types/core/v1.js'
import type { RuntimeClass } from 'kubernetes-types/node/v1.js'
import type { NodeFacts, PodFacts, QuotaFacts } from '../../decide/placement/facts.ts'
import type { KubeClient, ListQuery } from '../../kube/kube-client.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { unlessForbidden } from '../forbidden.ts'
import { factsOfNode, factsOfPod, factsOfQuota } from './facts-of-objects.ts'

/** What a cluster has, and who has it. */
export interface Inventory {
  readonly nodes: readonly NodeFacts[]
  readonly pods: readonly PodFacts[]
  /** Of the namespace. */
  readonly quotas: readonly QuotaFacts[]
  /** Absent: they may not be seen. */
  readonly runtimeClasses?: readonly RuntimeClass[]
  /** What this person may not see: `nodes`, `pods of other namespaces`, `pods`, `quotas`, `some quotas by scope`. */
  readonly unseen: readonly string[]
}

export const runtimeClasses: Resource = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
}

/** Ended pods hold nothing, and a cluster that runs jobs has many of them. */
const alive = 'status.phase!=Succeeded,status.phase!=Failed'

export interface InventoryQuery {
  /** Whose quotas count; absent: the client's. */
  readonly namespace?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** One look at all nodes and at the pods of all namespaces. What is forbidden is left out and named; every other failure is thrown. */
export async function readInventory(
  client: KubeClient,
  { namespace, signal }: InventoryQuery = {},
): Promise<Inventory> {
  const unseen: string[] = []
  const cut = signal === undefined ? {} : { signal }
  const place = { ...cut, ...(namespace === undefined ? {} : { namespace }) }
  const list = async <T extends KubeObject>(resource: Resource, query: ListQuery, what: string) => {
    const items = await listAllowed<T>(client, resource, query)
    if (items === undefined) unseen.push(what)
    return items
  }
  const [nodes, pods, quotas, classes] = await Promise.all([
    list<Node>(resources.nodes, cut, 'nodes'),
    list<Pod>(resources.pods, { ...cut, scope: 'all', fieldSelector: alive }, 'pods of other namespaces').then(
      (all) => all ?? list<Pod>(resources.pods, { ...place, fieldSelector: alive }, 'pods'),
    ),
    list<ResourceQuota>(resources.resourceQuotas, place, 'quotas'),
    listAllowed<RuntimeClass>(client, runtimeClasses, cut),
  ])
  const counted = (quotas ?? []).map(factsOfQuota)
  if (counted.includes(undefined)) unseen.push('some quotas by scope')
  return {
    nodes: (nodes ?? []).map(factsOfNode),
    pods: (pods ?? []).map(factsOfPod).filter((pod) => pod !== undefined),
    quotas: counted.filter((quota) => quota !== undefined),
    ...(classes === undefined ? {} : { runtimeClasses: classes }),
    unseen: unseen.toSorted(),
  }
}

async function listAllowed<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  query: ListQuery,
): Promise<readonly T[] | undefined> {
  const list = await unlessForbidden(client.list<T>(resource, query), () => undefined)
  return list?.items
}

import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Node, Pod, ResourceQuota, Service } from 'kubernetes-types/core/v1.js'
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.js'
import type { Event } from 'kubernetes-types/events/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import type { Clock } from '../base/clock.ts'
import type { KubeClient } from '../kube/kube-client.ts'
import type { KubeObject } from '../kube/object.ts'
import { resources } from '../kube/resources.ts'
import { keys } from '../render/names.ts'
import { isReady } from './explain/counts.ts'
import { lastSeenMs } from './explain/event-time.ts'
import { unlessForbidden } from './forbidden.ts'
import type { ClusterObservation } from './observation.ts'

export interface ObservedPlace {
  readonly namespace: string
  readonly name: string
  readonly clock: Clock
  readonly signal?: AbortSignal
}

/** Events are asked for by object, and pods in trouble mostly have the same. */
const maxTroubledPods = 4

/**
 * One look, cheap enough for each second: nothing is listed but by label or name; events and nodes only where something is wrong.
 * Fails with what the client fails with, but for kinds that may not be seen: those are in `unseen`. Without the Deployment and
 * the pods there is nothing to tell (TL_CLUSTER_FORBIDDEN).
 */
export async function observeService(
  client: KubeClient,
  { namespace, name, clock, signal }: ObservedPlace,
): Promise<ClusterObservation> {
  const place = { namespace, ...(signal === undefined ? {} : { signal }) }
  const unseen: { what: string; reason: string }[] = []
  const tolerate = async <T>(what: string, work: Promise<T>, otherwise: T): Promise<T> =>
    await unlessForbidden(work, ({ detail }) => {
      unseen.push({ what, reason: detail })
      return otherwise
    })
  const labelSelector = `${keys.service}=${name}`
  const list = async <T extends KubeObject>(
    resource: (typeof resources)[keyof typeof resources],
    query: { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<readonly T[]> => (await client.list<T>(resource, { ...place, ...query })).items
  const [deployment, pods, sets, autoscaler, budget, service, endpoints, quotas] = await Promise.all([
    client.get<Deployment>(resources.deployments, name, place),
    list<Pod>(resources.pods, { labelSelector }),
    tolerate('ReplicaSets', list<ReplicaSet>(resources.replicaSets, { labelSelector }), []),
    tolerate(
      'HorizontalPodAutoscaler',
      client.get<HorizontalPodAutoscaler>(resources.horizontalPodAutoscalers, name, place),
      undefined,
    ),
    tolerate(
      'PodDisruptionBudget',
      client.get<PodDisruptionBudget>(resources.podDisruptionBudgets, name, place),
      undefined,
    ),
    tolerate('Service', client.get<Service>(resources.services, name, place), undefined),
    tolerate(
      'EndpointSlices',
      list<EndpointSlice>(resources.endpointSlices, { labelSelector: `kubernetes.io/service-name=${name}` }),
      [],
    ),
    tolerate('ResourceQuotas', list<ResourceQuota>(resources.resourceQuotas), []),
  ])
  const troubled = pods.filter((pod) => !isReady(pod))
  const events = await tolerate('Events', listEvents(troubled.slice(-maxTroubledPods), list), [])
  const nodes = troubled.some(isOnNoNode) || events.some(({ reason }) => reason === 'NodeNotReady')
  return {
    atMs: clock.nowMs(),
    namespace,
    name,
    ...(deployment === undefined ? {} : { deployment }),
    replicaSets: sets.filter(
      ({ metadata }) =>
        deployment === undefined ||
        metadata?.ownerReferences?.some(({ uid }) => uid === deployment.metadata?.uid) === true,
    ),
    pods,
    ...(autoscaler === undefined ? {} : { autoscaler }),
    ...(budget === undefined ? {} : { budget }),
    ...(service === undefined ? {} : { service }),
    endpoints,
    quotas,
    events,
    nodes: nodes ? await tolerate('Nodes', list<Node>(resources.nodes), []) : [],
    unseen,
  }
}

async function listEvents(
  pods: readonly Pod[],
  list: (resource: typeof resources.events, query: { fieldSelector: string }) => Promise<readonly Event[]>,
): Promise<readonly Event[]> {
  const lists = await Promise.all(
    pods.map(({ metadata }) => list(resources.events, { fieldSelector: `regarding.uid=${metadata?.uid}` })),
  )
  return lists.flat().toSorted((a, b) => lastSeenMs(a) - lastSeenMs(b))
}

function isOnNoNode({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') === true
}

import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { planPlacement } from '../../decide/placement/plan-placement.ts'
import type { Placement } from '../../decide/placement/placement.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { RenderedService } from '../../render/rendered-service.ts'
import type { ClusterService } from '../../spec/cluster-service.ts'
import { askOfPod } from '../inventory/ask-of-pod.ts'
import { readInventory } from '../inventory/read-inventory.ts'

export interface PlacesQuestion {
  readonly client: KubeClient
  readonly service: ClusterService
  readonly rendered: RenderedService
  /** As it would be. */
  readonly pod: PodSpec
  readonly replicas: number
  readonly expectNodes: boolean
  readonly signal?: AbortSignal | undefined
}

/** Whether and how the new pods come to their places, on the nodes as they are now. */
export async function findPlaces(question: PlacesQuestion): Promise<Placement> {
  const { client, service, rendered, pod, replicas, expectNodes, signal } = question
  const { namespace, name, revision } = rendered
  const { nodes, pods, quotas, unseen, runtimeClasses } = await readInventory(client, { namespace, signal })
  return planPlacement({
    nodes,
    pods,
    quotas,
    unseen,
    ask: askOfPod(pod, { runtimeClasses }),
    own: { namespace, service: name, revision },
    replicas,
    surge: service.service.rollout.surge,
    autoscalerAllowed: expectNodes,
  })
}

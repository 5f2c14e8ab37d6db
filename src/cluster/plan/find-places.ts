import type { PodSpec } from 'kubernetes-types/core/v1.js'
import { planPlacement } from '../../decide/placement/plan-placement.ts'
import type { Placement, PlacementQuestion } from '../../decide/placement/placement.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import { askOfPod } from '../inventory/ask-of-pod.ts'
import { readInventory } from '../inventory/read-inventory.ts'

export interface PlacesQuestion extends Pick<PlacementQuestion, 'own' | 'replicas' | 'surge' | 'autoscalerAllowed'> {
  /** As it would be. */
  readonly pod: PodSpec
  readonly signal?: AbortSignal | undefined
}

/** Whether and how the new pods come to their places, on the nodes as they are now. */
export async function findPlaces(client: KubeClient, { pod, signal, ...rest }: PlacesQuestion): Promise<Placement> {
  const { namespace } = rest.own
  const { runtimeClasses, ...inventory } = await readInventory(client, { namespace, signal })
  return planPlacement({ ...inventory, ...rest, ask: askOfPod(pod, { runtimeClasses }) })
}

import type { Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Node, Pod, ResourceQuota, Service } from 'kubernetes-types/core/v1.js'
import type { EndpointSlice } from 'kubernetes-types/discovery/v1.js'
import type { Event } from 'kubernetes-types/events/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'

/** One look at all that a service is on a cluster. Nothing in it is older than the look. */
export interface ClusterObservation {
  readonly atMs: number
  readonly namespace: string
  readonly name: string
  /** Absent: it is not deployed. */
  readonly deployment?: Deployment
  /** Its own, by owner. */
  readonly replicaSets: readonly ReplicaSet[]
  /** Of those, also the ones that are ending or have failed. */
  readonly pods: readonly Pod[]
  readonly autoscaler?: HorizontalPodAutoscaler
  readonly budget?: PodDisruptionBudget
  readonly service?: Service
  readonly endpoints: readonly EndpointSlice[]
  /** Of the namespace. */
  readonly quotas: readonly ResourceQuota[]
  /** About what is not as it should be, oldest first. Empty where all is. */
  readonly events: readonly Event[]
  /** All of the cluster, where a pod has no place or the node that it had may be lost; otherwise none was asked for. */
  readonly nodes: readonly Node[]
  /** What could not be looked at, with the reason: such as Forbidden. An empty list above is then no fact. */
  readonly unseen: readonly { readonly what: string; readonly reason: string }[]
}

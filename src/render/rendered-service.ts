import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeObject } from '../kube/object.ts'

/** What one service is on a cluster. */
export interface RenderedService {
  readonly name: string
  readonly namespace: string
  /** Hash of what makes a revision, ten hexadecimal digits: label `towline.dev/revision` of its pods. */
  readonly revision: string
  /** The number of replicas of a spec without autoscaling; null: an autoscaler's. It is in `objects` for those who apply them by other means. */
  readonly replicas: number | null
  /** In the order in which they are applied; the Deployment is the last but for what refers to it (HPA). */
  readonly objects: readonly KubeObject[]
  readonly deployment: Deployment
}

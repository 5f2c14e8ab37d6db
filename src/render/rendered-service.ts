import type { KubeObject } from '../kube/object.ts'
import { clusterRevisionOf } from '../spec/cluster-revision.ts'
import type { ClusterService } from '../spec/cluster-service.ts'
import { countReplicas, renderDeployment } from './deployment.ts'
import { renderSettings } from './replica-settings.ts'
import {
  renderAccount,
  renderAutoscaler,
  renderBudget,
  renderNetworkPolicy,
  renderRoute,
  renderService,
} from './surroundings.ts'

/** What one service is on a cluster. */
export interface RenderedService {
  readonly name: string
  readonly namespace: string
  /** Hash of what makes a revision, ten hexadecimal digits: label `towline.dev/revision` of its pods. */
  readonly revision: string
  /** The number of replicas of a spec without autoscaling; null: an autoscaler's. */
  readonly replicas: number | null
  /** In the order in which they are applied: what a pod needs first, what looks at the Deployment last. */
  readonly objects: readonly KubeObject[]
}

/** Pure, and the same bytes for the same service each time. */
export function renderObjects(
  cluster: ClusterService,
  { namespace, environment }: { readonly namespace: string; readonly environment?: string | undefined },
): RenderedService {
  const revision = clusterRevisionOf(cluster)
  const naming = { namespace, revision, environment }
  const settings = renderSettings(cluster, naming)
  const objects = [
    ...renderAccount(cluster, naming),
    settings,
    renderNetworkPolicy(cluster, naming),
    renderService(cluster, naming),
    renderDeployment(cluster, naming, settings.metadata?.name ?? ''),
    ...renderBudget(cluster, naming),
    ...renderAutoscaler(cluster, naming),
    ...renderRoute(cluster, naming),
  ] as readonly KubeObject[]
  return { name: cluster.service.name, namespace, revision, replicas: countReplicas(cluster), objects }
}

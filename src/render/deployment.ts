import type { Deployment, DeploymentStrategy } from 'kubernetes-types/apps/v1.js'
import type { ClusterService } from '../spec/cluster-service.ts'
import { type Naming, keys, metadataOf, selectorOf } from './names.ts'
import { renderPod } from './pod.ts'

/** Beyond what a start may take: the image has to come to the node first. */
const pullS = 600

/** How pods are replaced: a new one first, an old one first, or all old ones first. */
export const strategies: Readonly<Record<'Surge' | 'Swap' | 'Recreate', DeploymentStrategy>> = {
  Surge: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  Swap: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  Recreate: { type: 'Recreate' },
}

export function renderDeployment(cluster: ClusterService, naming: Naming, settingsName: string): Deployment {
  const { service } = cluster
  const { revisionHistoryLimit } = service.rollout
  const replicas = countReplicas(cluster)
  const metadata = metadataOf(cluster, naming)
  const annotations = {
    ...metadata.annotations,
    ...(replicas === null ? {} : { [keys.specReplicas]: String(replicas) }),
    ...(service.rollout.surge === 'Auto' ? { [keys.surge]: 'Auto' } : {}),
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
    spec: {
      // Left out where an autoscaler counts: whoever applied it again would set it back.
      ...(replicas === null ? {} : { replicas }),
      selector: { matchLabels: selectorOf(cluster) },
      strategy: strategies[service.rollout.surge === 'Auto' ? 'Surge' : service.rollout.surge],
      revisionHistoryLimit,
      progressDeadlineSeconds: pullS + Math.ceil(service.lifecycle.startupTimeoutMs / 1000),
      ...(service.paused ? { paused: true } : {}),
      template: renderPod(cluster, naming, settingsName),
    },
  }
}

/** Of the spec; null: an autoscaler's. Without a target that one can honour, the least that the spec allows. */
export function countReplicas({ service }: ClusterService): number | null {
  if (service.autoscaling === undefined) return service.replicas
  return hasHonouredTarget(service.autoscaling) ? null : service.replicas
}

export function hasHonouredTarget({ targets }: NonNullable<ClusterService['service']['autoscaling']>): boolean {
  return targets.cpuPercent !== undefined || targets.memoryPercent !== undefined
}

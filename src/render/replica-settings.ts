import type { ConfigMap } from 'kubernetes-types/core/v1.js'
import { hashOf } from '../base/canonical.ts'
import { planDrain } from '../decide/drain.ts'
import { imagePaths, imagePorts } from '../image/plan/build-plan.ts'
import { planSessions } from '../spec/model/model-sessions.ts'
import type { ClusterService } from '../spec/cluster-service.ts'
import { type Naming, metadataOf } from './names.ts'

/** From the beginning of a pod's end until nobody sends it requests any more: inside a cluster, and with a load balancer before it. */
const propagation = { insideMs: 5000, gatewayMs: 20_000 }

/**
 * Callers keep their connections to a pod whatever its Service says. One that is used now and then is closed with an answer by then;
 * a request would otherwise meet the closing of its connection on the way.
 */
const lingerMs = 5000

/** When a pod is told to end, how long it answers, and when it is killed. */
export function drainTimings({ service, expose }: ClusterService) {
  return planDrain({
    drainTimeoutMs: service.lifecycle.drainTimeoutMs,
    // One that comes over a kept connection at the last moment has its whole time as well.
    requestTimeoutMs: lingerMs + service.serving.timeoutMs,
    propagationMs: expose?.gateway === undefined ? propagation.insideMs : propagation.gatewayMs,
  })
}

/** What a replica is told, in the file that it reads: `ReplicaConfig` of the server, which tests hold this against. */
export function replicaSettings(cluster: ClusterService, revision: string) {
  const { service } = cluster
  return {
    service: service.name,
    revision,
    modelPath: imagePaths.models,
    modelName: service.model.name,
    ...planSessions(service),
    // Of the pod's own network; who reaches it is the NetworkPolicy's matter.
    host: '0.0.0.0',
    port: imagePorts.http,
    metricsPort: imagePorts.metrics,
    ...service.serving,
    drainTimeoutMs: drainTimings(cluster).drainMs,
    lingerMs,
    logFile: '-',
  }
}

/** Its name has a hash of its contents: pods of different revisions each keep their own, so that a rollback finds it. */
export function renderSettings(cluster: ClusterService, naming: Naming): ConfigMap {
  const text = `${JSON.stringify(replicaSettings(cluster, naming.revision), undefined, 2)}\n`
  const name = `${cluster.service.name}-${hashOf(text).slice(0, 10)}`
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(cluster, naming, name),
    immutable: true,
    data: { 'replica.json': text },
  }
}

import type { KubeClient } from '../../kube/kube-client.ts'
import type { ServiceLoad, ServiceStatus } from '../../engine/service-status.ts'
import { readPodMetrics } from './pod-metrics.ts'

/** What the replicas of a service count, asked one by one: null where one does not say. */
export async function loadOfService(
  client: KubeClient,
  { name, phase, replicas, instances }: ServiceStatus,
): Promise<ServiceLoad> {
  const loads = instances.map(async ({ name: pod, phase: at }) => {
    const metrics = await readPodMetrics(client, client.namespace, pod)
    const { inFlight = null, requests = null, cpuMs = null, memoryBytes = null } = metrics ?? {}
    return { name: pod, phase: at, inFlight, requests, cpuMs, memoryBytes }
  })
  return { name, phase, replicas, traffic: null, instances: await Promise.all(loads) }
}

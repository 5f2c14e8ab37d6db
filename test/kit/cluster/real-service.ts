import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pod, Service } from 'kubernetes-types/core/v1.js'
import { systemClock } from '../../../src/base/clock.ts'
import { deployService } from '../../../src/cluster/deploy/deploy-service.ts'
import { prepareDeploy } from '../../../src/cluster/plan/prepare-deploy.ts'
import { waitForRollout } from '../../../src/cluster/wait/wait-for-rollout.ts'
import { statusOf } from '../../../src/kube/http/failure.ts'
import type { KubeClient } from '../../../src/kube/kube-client.ts'
import { resources } from '../../../src/kube/resources.ts'
import { renderObjects } from '../../../src/render/rendered-service.ts'
import type { ClusterService } from '../../../src/spec/cluster-service.ts'
import type { Cluster } from './open-cluster.ts'

const limitMs = 60_000

/** Deploys into the client's namespace as `towline deploy` does, and insists that it serves within a minute. */
export async function deployAndWait(client: KubeClient, service: ClusterService): Promise<void> {
  const target = { client, service, rendered: renderObjects(service, { namespace: client.namespace }) }
  const prepared = await prepareDeploy(target)
  assert.deepEqual(prepared.plan.refusals, [])
  const signal = AbortSignal.timeout(limitMs)
  const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
  assert.equal(end.kind, 'Ready', JSON.stringify(end, undefined, 2))
}

/** Until the pods of a revision serve, a minute at most. */
export async function untilServing(client: KubeClient, name: string, revision: string): Promise<void> {
  const signal = AbortSignal.timeout(limitMs)
  const { namespace } = client
  const end = await waitForRollout({ client, namespace, name, revision, clock: systemClock, signal })
  assert.equal(end.kind, 'Ready')
}

/** All pods of a service, those on their way out as well. */
export async function listPods(client: KubeClient, name: string): Promise<readonly Pod[]> {
  return (await client.list<Pod>(resources.pods, { labelSelector: `towline.dev/service=${name}` })).items
}

/** It serves, and nobody told it to end. */
export function isSettled({ metadata, status }: Pod): boolean {
  const isReady = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true
  return isReady && metadata?.deletionTimestamp === undefined
}

/** As `kubectl drain` asks for it. `Refused`: a budget stands against it now. */
export async function evict(client: KubeClient, name: string): Promise<'Gone' | 'Refused'> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: client.namespace } }
  try {
    await client.create(resources.pods, eviction, { name, subresource: 'eviction' })
    return 'Gone'
  } catch (error) {
    if (statusOf(error) !== 429) throw error
    return 'Refused'
  }
}

/** Address of a Service for the test: connections pass through kube-proxy's rules. */
export async function reachService(cluster: Cluster, client: KubeClient, name: string, port = 80): Promise<string> {
  const service = await client.get<Service>(resources.services, name)
  const address = service?.spec?.clusterIP
  assert.ok(address, `Service ${name} has no address`)
  return `http://127.0.0.1:${await cluster.relay(address, port)}`
}

/** Inference requests that a pod has answered, by its own count; those of a pod that does not answer are 0. */
export async function countAnswers(cluster: Cluster, { status }: Pod): Promise<number> {
  const port = await cluster.relay(status?.podIP ?? '', 9090)
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
  const counts = (await answer?.text())?.matchAll(/^towline_requests_total\{.*\} (\d+)$/gm) ?? []
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Looks twice a second; after `timeoutMs` an error says what was waited for. */
export async function lookUntil(what: string, look: () => Promise<boolean>, timeoutMs = limitMs): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await look())) {
    if (performance.now() > endMs) throw new Error(`${what}: not so within ${timeoutMs} ms`)
    await sleep(500)
  }
}

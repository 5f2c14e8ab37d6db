import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { systemClock } from '../../../src/base/clock.ts'
import { type DeployEnd, deployService } from '../../../src/cluster/deploy/deploy-service.ts'
import { prepareDeploy } from '../../../src/cluster/plan/prepare-deploy.ts'
import type { KubeClient } from '../../../src/kube/kube-client.ts'
import { resources } from '../../../src/kube/resources.ts'
import { type RenderedService, renderObjects } from '../../../src/render/rendered-service.ts'
import type { ClusterService } from '../../../src/spec/cluster-service.ts'

export const deployTimeoutMs = 60_000

/** Deploys as `towline deploy` does, waits, and insists on success. */
export async function deployAndWait(
  client: KubeClient,
  service: ClusterService,
): Promise<{ readonly rendered: RenderedService; readonly end: DeployEnd & { readonly kind: 'Ready' } }> {
  const rendered = renderObjects(service, { namespace: client.namespace })
  const target = { client, service, rendered }
  const prepared = await prepareDeploy(target)
  assert.deepEqual(prepared.plan.refusals, [])
  const signal = AbortSignal.timeout(deployTimeoutMs)
  const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
  assert.ok(end.kind === 'Ready', JSON.stringify(end, undefined, 2))
  return { rendered, end }
}

/** Those that are not on their way out. */
export async function listPods(client: KubeClient, name: string): Promise<readonly Pod[]> {
  const labelSelector = `towline.dev/service=${name}`
  const { items } = await client.list<Pod>(resources.pods, { labelSelector })
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
}

/** Looks twice a second until it is so; an error that says what was waited for after `timeoutMs`. */
export async function lookUntil(what: string, look: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await look())) {
    if (performance.now() > endMs) throw new Error(`it did not come to this within ${timeoutMs} ms: ${what}`)
    await sleep(500)
  }
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Pod, PodSpec, ResourceQuota, Toleration } from 'kubernetes-types/core/v1.js'
import { askOfPod } from '../../src/cluster/inventory/ask-of-pod.ts'
import { readInventory } from '../../src/cluster/inventory/read-inventory.ts'
import type { NodeFacts } from '../../src/decide/placement/facts.ts'
import { gpuPodParts } from '../../src/decide/placement/gpu-pod-parts.ts'
import { planPlacement } from '../../src/decide/placement/plan-placement.ts'
import type { Placement, SurgeWish } from '../../src/decide/placement/placement.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { openCluster } from '../kit/cluster/open-cluster.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import type { GpuRequest } from '../../src/spec/cluster-service.ts'
import { fleetCases, gpuFleet } from '../kit/gpu-fleet.ts'
import { gpuNode, nodeObject } from '../kit/gpu-nodes.ts'

/** What placement promises is what the scheduler of a real control plane then does, on nodes that KWOK makes up. */

const namespace = 'default'
const timeoutMs = 30_000

let client: KubeClient

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > endMs) throw new Error(`not in ${timeoutMs} ms: ${what}`)
    await sleep(50)
  }
}

async function addNodes(nodes: readonly NodeFacts[]): Promise<void> {
  for (const node of nodes) await client.apply(resources.nodes, nodeObject(node), { fieldManager: 'test' })
  await until('nodes are ready', async () => {
    const { nodes: seen } = await readInventory(client)
    const isReady = nodes.every(({ name }) =>
      seen.some((node) => node.name === name && node.isReady && isSettled(node)),
    )
    return isReady ? true : undefined
  })
}

/** The taints of a node's first moments are gone. */
function isSettled({ taints, isCordoned }: NodeFacts): boolean {
  return taints.filter(({ key }) => key.startsWith('node.kubernetes.io/')).length === (isCordoned ? 1 : 0)
}

interface ServiceWish {
  readonly name: string
  readonly revision: string
  readonly replicas: number
  readonly request: Partial<GpuRequest>
  readonly cudaVersion?: string | undefined
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined
  readonly tolerations?: readonly Toleration[] | undefined
  readonly strategy?: 'Surge' | 'Swap' | 'Recreate'
}

const strategies = {
  Surge: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  Swap: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  Recreate: { type: 'Recreate' },
} as const

function podSpecOf({ request, cudaVersion, nodeSelector, tolerations }: ServiceWish): PodSpec {
  const parts = gpuPodParts({ count: 1, sharing: 'Exclusive', ...request }, cudaVersion)
  const amounts = { cpu: '1', memory: '1Gi', ...parts.resources }
  return {
    containers: [{ name: 'server', image: 'localhost/none:1', resources: { requests: amounts, limits: amounts } }],
    terminationGracePeriodSeconds: 1,
    tolerations: [...(tolerations ?? parts.tolerations)],
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(parts.nodeSelectorTerms.length === 0
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [...parts.nodeSelectorTerms] },
            },
          },
        }),
  }
}

function deploymentOf(wish: ServiceWish): Deployment {
  const labels = { 'towline.dev/service': wish.name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: wish.name, namespace },
    spec: {
      replicas: wish.replicas,
      selector: { matchLabels: labels },
      strategy: strategies[wish.strategy ?? 'Surge'],
      template: { metadata: { labels: { ...labels, 'towline.dev/revision': wish.revision } }, spec: podSpecOf(wish) },
    },
  }
}

async function deploy(wish: ServiceWish): Promise<void> {
  await client.apply(resources.deployments, deploymentOf(wish), { fieldManager: 'test' })
}

async function planFor(wish: ServiceWish, surge: SurgeWish = 'Auto'): Promise<Placement> {
  const { nodes, pods, quotas, unseen, runtimeClasses } = await readInventory(client)
  return planPlacement({
    nodes,
    pods,
    quotas,
    unseen,
    ask: askOfPod(podSpecOf(wish), { runtimeClasses, cudaVersion: wish.cudaVersion }),
    own: { namespace, service: wish.name, revision: wish.revision },
    replicas: wish.replicas,
    surge,
  })
}

async function podsOf(name: string): Promise<readonly Pod[]> {
  const { items } = await client.list<Pod>(resources.pods, { labelSelector: `towline.dev/service=${name}` })
  return items
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
const isPlaceless = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') ?? false
const revisionOf = ({ metadata }: Pod): string => metadata?.labels?.['towline.dev/revision'] ?? ''

async function remove(name: string): Promise<void> {
  await client.remove(resources.deployments, name)
  await until(`the pods of ${name} are gone`, async () => ((await podsOf(name)).length === 0 ? true : undefined))
}

/** Pods of each node once all have a place or have been refused one. */
async function settle(name: string, replicas: number): Promise<Record<string, number>> {
  const pods = await until(`${replicas} pods of ${name} are placed or refused`, async () => {
    const pods = await podsOf(name)
    const isDone = pods.length === replicas && pods.every((pod) => pod.spec?.nodeName !== undefined || isPlaceless(pod))
    return isDone ? pods : undefined
  })
  const rooms: Record<string, number> = {}
  for (const { spec } of pods) if (spec?.nodeName !== undefined) rooms[spec.nodeName] = (rooms[spec.nodeName] ?? 0) + 1
  return rooms
}

async function untilAllNew({ name, revision, replicas }: ServiceWish): Promise<void> {
  await until(`${name} is ${revision}`, async () => {
    const pods = await podsOf(name)
    return pods.length === replicas && pods.every((pod) => revisionOf(pod) === revision && isReady(pod))
      ? true
      : undefined
  })
}

const ends: (() => unknown)[] = []
let skip: string | false = false
const cluster = await openCluster({ after: (end) => void ends.push(end), skip: (reason) => void (skip = reason) })

before(async () => {
  if (cluster !== undefined) client = await openKubeClient({ kubeconfig: cluster.kubeconfig, env: {} })
})
after(async () => {
  if (cluster !== undefined) await client.close()
  for (const end of ends.toReversed()) await end()
})

test('the scheduler fills each node with as many pods as were promised, and refuses the rest', { skip }, async (t) => {
  await addNodes(gpuFleet())
  for (const { title, rooms, ...change } of fleetCases)
    await t.test(title, async () => {
      const asked: ServiceWish = { ...change, name: 'cats', revision: 'one', replicas: 1 }
      const { room, nodes } = await planFor(asked)
      const promised = Object.fromEntries(nodes.filter(({ room }) => room > 0).map(({ node, room }) => [node, room]))
      assert.deepEqual(promised, rooms)
      const replicas = Number(room.now) + 2
      await deploy({ ...asked, replicas })
      assert.deepEqual(await settle('cats', replicas), rooms)
      await remove('cats')
    })
})

describe('how a new revision comes in is how it was said to', { skip }, () => {
  /** Nodes of one test alone, and a service that runs on them already. */
  async function begin(
    name: string,
    devices: readonly number[],
    change: Partial<ServiceWish> = {},
  ): Promise<{ readonly old: ServiceWish; readonly fresh: ServiceWish }> {
    const labels = { 'towline.test/only': name }
    await addNodes(devices.map((count, index) => gpuNode(`${name}-${index}`, 'a10', count, { labels })))
    const old: ServiceWish = { name, revision: 'old', replicas: 3, request: {}, nodeSelector: labels, ...change }
    await deploy(old)
    await untilAllNew(old)
    return { old, fresh: { ...old, revision: 'new' } }
  }

  /** The new revision waits for a place that nothing will make free. */
  async function assertStuck(fresh: ServiceWish, oldLeft: number): Promise<void> {
    await until(`${fresh.name} is stuck`, async () => {
      const pods = await podsOf(fresh.name)
      const isStuck = pods.some((pod) => revisionOf(pod) === 'new' && isPlaceless(pod))
      return isStuck && pods.filter((pod) => revisionOf(pod) === 'old' && isReady(pod)).length === oldLeft
        ? true
        : undefined
    })
  }

  /** The fewest ready pods of all looks until the new revision is in. */
  async function countFewest(fresh: ServiceWish): Promise<number> {
    const seen: number[] = []
    const over = new AbortController()
    const watching = (async () => {
      while (!over.signal.aborted) {
        seen.push(
          (await podsOf(fresh.name)).filter((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined)
            .length,
        )
        await sleep(10)
      }
    })()
    await deploy(fresh)
    await untilAllNew(fresh)
    over.abort()
    await watching
    return Math.min(...seen)
  }

  test('one free device: a surge, and never fewer than wanted', async () => {
    const { fresh } = await begin('surge', [2, 2])
    assert.equal((await planFor(fresh)).kind, 'Surge')
    assert.equal(await countFewest({ ...fresh, strategy: 'Surge' }), 3)
    await remove('surge')
  })

  test('none free: a surge would be stuck, a swap goes through with one fewer', async () => {
    const { fresh } = await begin('swap', [2, 1])
    assert.equal((await planFor(fresh)).kind, 'Swap')
    assert.equal((await planFor(fresh, 'Surge')).kind, 'Impossible')
    await deploy({ ...fresh, strategy: 'Surge' })
    await assertStuck(fresh, 3)
    assert.equal(await countFewest({ ...fresh, strategy: 'Swap' }), 2)
    await remove('swap')
  })

  test('a single replica on the only device: a surge would be stuck, a recreation goes through', async () => {
    const { fresh } = await begin('single', [1], { replicas: 1 })
    assert.equal((await planFor(fresh)).kind, 'Recreate')
    await deploy({ ...fresh, strategy: 'Surge' })
    await assertStuck(fresh, 1)
    await deploy({ ...fresh, strategy: 'Recreate' })
    await untilAllNew(fresh)
    await remove('single')
  })

  test('pods that grow to all devices of a node: a surge would be stuck, a swap goes through', async () => {
    const { fresh } = await begin('growth', [2, 2], { replicas: 2 })
    assert.deepEqual(await settle('growth', 2), { 'growth-0': 1, 'growth-1': 1 })
    const larger = { ...fresh, request: { count: 2 } }
    const placement = await planFor(larger)
    assert.deepEqual([placement.room.now, placement.kind], [0, 'Swap'])
    await deploy({ ...larger, strategy: 'Surge' })
    await assertStuck(larger, 2)
    await deploy({ ...larger, strategy: 'Swap' })
    await untilAllNew(larger)
    await remove('growth')
  })

  test('a full quota beside free devices: a surge is refused its pod, a swap goes through', async () => {
    const { fresh } = await begin('quota', [4], { replicas: 2 })
    const quota: ResourceQuota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'gpus', namespace },
      spec: { hard: { 'requests.nvidia.com/gpu': '2' } },
    }
    await client.create(resources.resourceQuotas, quota)
    await until('the quota counts', async () => {
      const seen = await client.get<ResourceQuota>(resources.resourceQuotas, 'gpus')
      return seen?.status?.used?.['requests.nvidia.com/gpu'] === '2' ? true : undefined
    })
    const placement = await planFor(fresh)
    assert.equal(placement.kind, 'Swap')
    assert.match(placement.reason, /quota gpus allows 2 of requests.nvidia.com\/gpu, 2 in use/)
    await deploy({ ...fresh, strategy: 'Surge' })
    await until('the new pod is refused', async () => {
      const seen = await client.get<Deployment>(resources.deployments, 'quota')
      const refusal = seen?.status?.conditions?.find(
        ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
      )
      return refusal?.message?.includes('exceeded quota: gpus') === true ? true : undefined
    })
    await deploy({ ...fresh, strategy: 'Swap' })
    await untilAllNew(fresh)
    await client.remove(resources.resourceQuotas, 'gpus')
    await remove('quota')
  })

  test('a device that an ending pod holds: wait, and it comes free', async () => {
    const labels = { 'towline.test/only': 'ending' }
    const node = nodeObject(gpuNode('ending-0', 'a10', 1, { labels }))
    // Not KWOK's: nobody ends its pods, as on a node that does not answer.
    await client.create(resources.nodes, {
      ...node,
      metadata: { ...node.metadata, annotations: {} },
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' }] },
    } as KubeObject)
    const wish: ServiceWish = { name: 'ending', revision: 'one', replicas: 1, request: {}, nodeSelector: labels }
    const placeOf = async (pod: string): Promise<true | undefined> =>
      (await client.get<Pod>(resources.pods, pod))?.spec?.nodeName === undefined ? undefined : true
    const holder = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'holder', namespace }, spec: podSpecOf(wish) }
    await client.create(resources.pods, holder)
    await until('the device is held', async () => await placeOf('holder'))
    assert.equal((await planFor(wish)).kind, 'Impossible')
    await client.remove(resources.pods, 'holder')
    assert.equal((await planFor(wish)).kind, 'Wait')
    await deploy(wish)
    assert.deepEqual(await settle('ending', 1), {})
    await kill('holder')
    await until('the device is given on', async () =>
      (await settle('ending', 1))['ending-0'] === 1 ? true : undefined,
    )
    await client.remove(resources.deployments, 'ending')
    await until('its pods are ending', async () => {
      const pods = await podsOf('ending')
      for (const { metadata } of pods) await kill(metadata?.name ?? '')
      return pods.length === 0 ? true : undefined
    })
    await client.remove(resources.nodes, 'ending-0')
  })
})

/** As a kubelet would when the last process of a pod has ended. */
async function kill(pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}?gracePeriodSeconds=0`
  const { status } = await client.request({ method: 'DELETE', path })
  assert.ok(status === 200 || status === 404, `${pod}: ${status}`)
}

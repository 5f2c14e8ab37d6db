import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { type FakeCluster, openFakeCluster } from '../../../test/kit/fake-cluster.ts'
import { gpuNode, nodeObject } from '../../../test/kit/gpu-nodes.ts'
import { systemClock } from '../../base/clock.ts'
import { resources } from '../../kube/resources.ts'
import type { ModelServiceDocument } from '../../spec/schema/model-service.ts'
import { runtimeClasses } from '../inventory/read-inventory.ts'
import { mannerOf } from '../plan/strategy.ts'
import { restartService } from './restart-service.ts'
import { rollbackService } from './rollback-service.ts'

type Spec = Partial<ModelServiceDocument['spec']>

const cats = { namespace: 'default', name: 'cats' }
const restart = { ...cats, clock: systemClock }
const gpus: Spec = { gpu: { count: 1 } }
const env = (name: string): Spec => ({ ...gpus, replicas: 2, env: [{ name, value: '1' }] })

function putNode({ server }: FakeCluster, devices: number): void {
  const node = nodeObject(gpuNode('node-1', 'h100', devices))
  const conditions = [{ type: 'Ready', status: 'True' }]
  server.objects.put(resources.nodes, node)
  server.objects.setStatus(resources.nodes, 'node-1', { ...node.status, conditions })
}

/** A node with so many devices, on which the service runs. */
async function open(t: TestContext, devices: number, spec: Spec): Promise<FakeCluster> {
  const cluster = await openFakeCluster(t, { kinds: [runtimeClasses] })
  putNode(cluster, devices)
  await cluster.deploy(spec)
  return cluster
}

const strategyOf = ({ spec }: Deployment): string =>
  mannerOf({ spec: { strategy: spec?.strategy ?? {} } } as Deployment)

for (const [title, devices, spec, manner] of [
  ['with room for one more, a new pod comes first', 3, { ...gpus, replicas: 2 }, 'Surge'],
  ['with every device held, one pod goes at a time', 2, { ...gpus, replicas: 2 }, 'Swap'],
  ['with the only device held, it goes first', 1, { ...gpus, replicas: 1 }, 'Recreate'],
  ['as the spec says, whatever the room', 2, { ...gpus, replicas: 2, rollout: { surge: 'Surge' } }, 'Surge'],
  ['with no room either way it stays as it is', 1, { ...gpus, replicas: 2 }, 'Surge'],
] as const)
  test(`a restart: ${title}`, async (t) => {
    const { client, readDeployment } = await open(t, devices, spec)
    await restartService(client, restart)
    assert.equal(strategyOf(await readDeployment()), manner)
  })

test('a rollback makes room first, and the way back goes by the room of that time', async (t) => {
  const cluster = await open(t, 3, env('ONE'))
  const { client, deploy, readDeployment } = cluster
  await deploy(env('TWO'))
  putNode(cluster, 2)
  assert.equal((await rollbackService(client, cats)).to, 1)
  assert.equal(strategyOf(await readDeployment()), 'Swap')
  putNode(cluster, 3)
  await restartService(client, restart)
  assert.equal(strategyOf(await readDeployment()), 'Surge')
})

test('what a person set by hand stays, and so does all where nodes may not be seen', async (t) => {
  const { client, server, readDeployment } = await open(t, 2, { ...gpus, replicas: 2 })
  const lift = server.forbid(({ verb, plural }) => verb === 'list' && plural === 'nodes')
  await restartService(client, restart)
  assert.equal(strategyOf(await readDeployment()), 'Surge')
  lift()
  const byHand = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } }
  const { metadata } = await readDeployment()
  await client.apply(
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'cats', namespace: metadata?.namespace ?? '' },
      spec: { strategy: byHand },
    } as object,
    { fieldManager: 'somebody', force: true },
  )
  await restartService(client, restart)
  assert.deepEqual((await readDeployment()).spec?.strategy, byHand)
})

test('nothing but the strategy and the mark is written, and a deploy afterwards restarts none', async (t) => {
  const { client, deploy, readDeployment } = await open(t, 2, { ...gpus, replicas: 2 })
  const before = await readDeployment()
  await restartService(client, restart)
  const { strategy: _, template: __, ...after } = (await readDeployment()).spec ?? {}
  const { strategy: ___, template: ____, ...was } = before.spec ?? {}
  assert.deepEqual(after, was)
  const mark = (await readDeployment()).spec?.template.metadata?.annotations
  await deploy({ ...gpus, replicas: 2 })
  assert.deepEqual((await readDeployment()).spec?.template.metadata?.annotations, mark)
})

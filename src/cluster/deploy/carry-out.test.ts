import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sampleClusterService } from '../../../test/kit/cluster-service-sample.ts'
import { openFakeCluster } from '../../../test/kit/fake-cluster.ts'
import type { KubeClient } from '../../kube/kube-client.ts'
import type { Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'
import { keys } from '../../render/names.ts'
import { renderObjects } from '../../render/rendered-service.ts'
import type { ModelServiceDocument } from '../../spec/schema/model-service.ts'
import { runtimeClasses } from '../inventory/read-inventory.ts'
import { prepareDeploy } from '../plan/prepare-deploy.ts'
import { carryOut } from './carry-out.ts'

type Spec = Partial<ModelServiceDocument['spec']>

const autoscaling = { minReplicas: 2, maxReplicas: 9, targets: { memoryPercent: 70 } }
const cases: readonly {
  readonly name: string
  readonly before?: Spec
  readonly after: Spec
  readonly ends: unknown[]
}[] = [
  { name: 'a new one', after: { replicas: 4 }, ends: [4, '4', false] },
  {
    name: 'another number and other pods',
    before: { replicas: 3 },
    after: { replicas: 5, env: [{ name: 'A', value: '1' }] },
    ends: [5, '5', false],
  },
  { name: 'a number, then an autoscaler', before: { replicas: 3 }, after: { autoscaling }, ends: [3, undefined, true] },
  { name: 'an autoscaler, then a number', before: { autoscaling }, after: { replicas: 5 }, ends: [5, '5', false] },
]

/** Ends as a process that is killed: nothing is written after so many writes of what has to do with the number. */
function cutAfter(client: KubeClient, writes: number): KubeClient {
  let left = writes
  const count = ({ kind }: Resource): void => {
    if (/Deployment|Autoscaler/.test(kind) && left-- <= 0) throw new Error('cut')
  }
  return {
    ...client,
    apply: async (resource, object, query) => {
      if (query.dryRun !== true) count(resource)
      return await client.apply(resource, object, query)
    },
    remove: async (resource, name, query) => {
      count(resource)
      return await client.remove(resource, name, query)
    },
  }
}

async function begin(t: TestContext) {
  const { client } = await openFakeCluster(t, { kinds: [runtimeClasses] })
  const deploy = async (spec: Spec, writes = Infinity) => {
    const service = sampleClusterService(spec)
    const rendered = renderObjects(service, { namespace: 'default' })
    const prepared = await prepareDeploy({ client, service, rendered, expectNodes: true })
    assert.deepEqual(prepared.plan.refusals, [])
    await carryOut(cutAfter(client, writes), prepared)
    return prepared
  }
  const look = async (): Promise<unknown[]> => {
    const [deployment, autoscaler] = await Promise.all([
      client.get(resources.deployments, 'cats'),
      client.get(resources.horizontalPodAutoscalers, 'cats'),
    ])
    const { spec, metadata } = deployment as { spec: { replicas: number }; metadata: { annotations?: object } }
    const noted = (metadata.annotations as Record<string, string> | undefined)?.[keys.specReplicas]
    return [spec.replicas, noted, autoscaler !== undefined]
  }
  return { deploy, look }
}

for (const { name, before, after, ends } of cases)
  test(`${name}: cut off after any of its writes, the next deploy does the rest, and the one after that nothing`, async (t) => {
    for (let writes = 0, isCut = true; isCut; writes++) {
      const { deploy, look } = await begin(t)
      if (before !== undefined) await deploy(before)
      isCut = await deploy(after, writes).then(
        () => false,
        (error: unknown) => {
          assert.equal((error as Error).message, 'cut')
          return true
        },
      )
      await deploy(after)
      assert.deepEqual(await look(), ends, `after ${writes} writes`)
      const { writes: left, removals, replicas } = await deploy(after)
      assert.deepEqual([left, removals, replicas.kind], [[], [], 'Keep'], `after ${writes} writes`)
    }
  })

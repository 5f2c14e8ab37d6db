import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, describe } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { explainLook } from '../../src/cluster/explain-look.ts'
import { listGpuNodes } from '../../src/cluster/inventory/gpu-nodes.ts'
import { readInventory } from '../../src/cluster/inventory/read-inventory.ts'
import { deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { observeService } from '../../src/cluster/observe.ts'
import { restartService } from '../../src/cluster/orders/restart-service.ts'
import { type PreparedDeploy, prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import type { ClusterService, GpuRequest } from '../../src/spec/cluster-service.ts'
import { buildProject } from '../kit/cluster/built-project.ts'
import { type GpuOffer, gpuRuntimeClass } from '../kit/cluster/gpu-node.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import { deployAndWait, isSettled, listPods, lookUntil } from '../kit/cluster/real-service.ts'
import { runProgram } from '../kit/containers/program.ts'
import { openOnce } from '../kit/open-once.ts'
import type { Scope } from '../kit/scope.ts'
import { modelsDir } from '../kit/replica-rig.ts'

/** NVIDIA's own device plugin, feature discovery and container runtime on a real node, with a real device. Skipped where there is none. */

const namespace = 'ml'
const mebibyte = 1024 * 1024
const node = '/opt/towline/node/bin/node'
const listDevices = `console.log(fs.readdirSync('/dev').filter((name) => /^nvidia\\d+$/.test(name)).join(' '))`

interface ServiceWish {
  readonly name: string
  /** Absent: it asks for none. */
  readonly gpu?: Partial<GpuRequest>
  readonly replicas?: number
  readonly version?: string
}

interface Bed {
  readonly cluster: Cluster
  readonly client: KubeClient
  seal(wish: ServiceWish): Promise<ClusterService>
  prepare(service: ClusterService): Promise<PreparedDeploy>
  listServing(name: string): Promise<readonly string[]>
  /** What a program in a pod prints. */
  runIn(pod: string, ...program: string[]): Promise<string>
  remove(name: string): Promise<void>
}

async function openBed(scope: Scope, gpu: GpuOffer): Promise<Bed | undefined> {
  const cluster = await openCluster(scope, { gpu, kwok: false })
  if (cluster === undefined) return undefined
  const project = await buildProject(scope, 'numbers', join(modelsDir, 'mlp-dynamic.onnx'))
  await cluster.loadImage(project.archive)
  await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
  const client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
  scope.after(() => client.close())
  const listServing = async (name: string): Promise<readonly string[]> =>
    (await listPods(client, name)).filter(isSettled).map(({ metadata }) => metadata?.name ?? '')
  return {
    cluster,
    client,
    listServing,
    async seal({ name, gpu, replicas = 1, version = '1' }) {
      const sealed = await project.seal({
        replicas,
        resources: { cpu: '100m', memory: '256Mi' },
        env: [{ name: 'VERSION', value: version }],
        pod: { patch: { spec: { runtimeClassName: gpuRuntimeClass } } },
      })
      // Not in the spec, which would be warned of: the server does not use any so far.
      const devices = gpu === undefined ? {} : { gpu: { count: 1, sharing: 'Exclusive', ...gpu } as const }
      return { ...sealed, service: { ...sealed.service, name }, ...devices }
    },
    prepare: (service) => prepareDeploy({ client, service, rendered: renderObjects(service, { namespace }) }),
    async runIn(pod, ...program) {
      const { out } = await cluster.kubectl(['exec', '-n', namespace, pod, '--', ...program])
      return out.trim()
    },
    async remove(name) {
      await client.remove(resources.deployments, name)
      await lookUntil(`the pods of ${name} are gone`, async () => (await listPods(client, name)).length === 0)
    },
  }
}

/** What the machine's own tool says of its first device. */
async function askDriver(what: string): Promise<string> {
  const { out } = await runProgram('nvidia-smi', ['--id=0', `--query-gpu=${what}`, '--format=csv,noheader,nounits'])
  return out.trim()
}

describe('a node with a real device of NVIDIA', () => {
  let bed: Bed
  const it = openOnce(120_000, async (scope) => {
    const opened = await openBed(scope, 'Whole')
    if (opened !== undefined) bed = opened
  })

  it('is shown as its driver describes it', async () => {
    const [found] = listGpuNodes(await readInventory(bed.client))
    assert.ok(found)
    assert.equal(found.driver, await askDriver('driver_version'))
    const [devices] = found.devices
    assert.equal(devices?.product, (await askDriver('name')).replaceAll(' ', '-'))
    assert.equal(devices.memoryMiB, Number(await askDriver('memory.total')))
    assert.deepEqual([devices.sharing, devices.replicas, devices.slice], ['none', 1, null])
    assert.equal(devices.free, devices.count)
  })

  it('gives a device to a pod that asks for what the device is, as a user without rights', async () => {
    const [major = 0, minor = 0] = (await askDriver('compute_cap')).split('.').map(Number)
    const minMemoryBytes = Number(await askDriver('memory.total')) * mebibyte
    const gpu = { minMemoryBytes, minComputeCapability: { major, minor } }
    await deployAndWait(bed.client, await bed.seal({ name: 'cats', gpu }))
    const [pod = ''] = await bed.listServing('cats')
    assert.match(await bed.runIn(pod, node, '-e', listDevices), /^nvidia\d+$/)
    const [found] = listGpuNodes(await readInventory(bed.client))
    assert.deepEqual(found?.devices[0]?.holders, [{ namespace, pod, count: 1, isTerminating: false }])
    // The driver answers in there, and shows the one device.
    const { out: tool } = await runProgram('sh', ['-c', 'readlink -f "$(command -v nvidia-smi)"'])
    const seen = await bed.runIn(pod, tool.trim(), '--query-gpu=uuid', '--format=csv,noheader')
    const { out: all } = await runProgram('nvidia-smi', ['--query-gpu=uuid', '--format=csv,noheader'])
    assert.ok(all.split('\n').includes(seen), `${seen} is none of ${all}`)
  })

  it('shows no device to a pod that asks for none', async () => {
    await deployAndWait(bed.client, await bed.seal({ name: 'plain' }))
    const [pod = ''] = await bed.listServing('plain')
    assert.equal(await bed.runIn(pod, node, '-e', listDevices), '')
    await bed.remove('plain')
  })

  it('with every device held, an update makes room first, as the plan says, and so does a restart', async () => {
    const [found] = listGpuNodes(await readInventory(bed.client))
    const replicas = found?.devices[0]?.count ?? 0
    await deployAndWait(bed.client, await bed.seal({ name: 'cats', gpu: {}, replicas }))
    const before = await bed.listServing('cats')
    assert.equal(before.length, replicas)
    const update = await bed.seal({ name: 'cats', gpu: {}, replicas, version: '2' })
    const { plan } = await bed.prepare(update)
    assert.equal(plan.placement?.kind, replicas === 1 ? 'Recreate' : 'Swap', plan.placement?.reason)
    await deployAndWait(bed.client, update)
    const after = await bed.listServing('cats')
    assert.equal(after.length, replicas)
    assert.deepEqual(
      after.filter((pod) => before.includes(pod)),
      [],
    )

    await restartService(bed.client, { namespace, name: 'cats', clock: systemClock })
    await lookUntil('other pods have the devices', async () => {
      const now = await bed.listServing('cats')
      return now.length === replicas && now.every((pod) => !after.includes(pod))
    })
  })

  it('has no place for one replica more, as the plan says and the scheduler after it', async (t: TestContext) => {
    const service = await bed.seal({ name: 'dogs', gpu: {} })
    const prepared = await bed.prepare(service)
    assert.equal(prepared.plan.placement?.kind, 'Impossible')
    assert.match(prepared.plan.placement.reason, /nvidia\.com\/gpu/)
    t.diagnostic(prepared.plan.placement.reason)
    const rendered = renderObjects(service, { namespace })
    const { client } = bed
    await deployService({ client, service, rendered, clock: systemClock, signal: t.signal, wait: false }, prepared)
    await lookUntil('the pod without a place is explained', async () => {
      const { causes } = await explainLook(
        client,
        await observeService(client, { namespace, name: 'dogs', clock: systemClock }),
      )
      const cause = causes.find(({ reason }) => reason === 'NoGpuFree')
      if (cause !== undefined) t.diagnostic(`${cause.sentence}: ${cause.advice}`)
      return cause !== undefined && cause.sentence.includes('cats')
    })
    await bed.remove('dogs')
  })

  it('fits nobody who asks for more than the device is', async () => {
    const { memoryMiB } = listGpuNodes(await readInventory(bed.client))[0]?.devices[0] ?? {}
    const wishes: readonly [Partial<GpuRequest>, RegExp][] = [
      [{ minMemoryBytes: ((memoryMiB ?? 0) + 1) * mebibyte }, /memory/],
      [{ minComputeCapability: { major: 99, minor: 0 } }, /compute/],
      [{ sharing: 'Shared' }, /shar/],
      [{ mig: '1g.10gb' }, /mig-1g\.10gb/],
    ]
    for (const [gpu, says] of wishes) {
      const { plan } = await bed.prepare(await bed.seal({ name: 'greedy', gpu }))
      assert.equal(plan.placement?.kind, 'Impossible', JSON.stringify(gpu))
      assert.match(plan.placement.reason, says)
    }
  })
})

describe('a node that shares its real devices by time slicing', () => {
  let bed: Bed
  const it = openOnce(120_000, async (scope) => {
    const opened = await openBed(scope, 'TimeSliced')
    if (opened !== undefined) bed = opened
  })

  it('has no place for who did not ask for a shared one', async () => {
    const { plan } = await bed.prepare(await bed.seal({ name: 'cats', gpu: {} }))
    assert.equal(plan.placement?.kind, 'Impossible')
    assert.match(plan.placement.reason, /shar/)
  })

  it('gives one device to four pods that ask for it so', async () => {
    await deployAndWait(bed.client, await bed.seal({ name: 'cats', gpu: { sharing: 'Shared' }, replicas: 4 }))
    const pods = await bed.listServing('cats')
    assert.equal(pods.length, 4)
    for (const pod of pods) assert.match(await bed.runIn(pod, node, '-e', listDevices), /^nvidia\d+$/)
    const [devices] = listGpuNodes(await readInventory(bed.client))[0]?.devices ?? []
    assert.deepEqual([devices?.sharing, devices?.replicas], ['time-slicing', 4])
    assert.equal(devices?.free, (devices?.count ?? 0) - 4)
  })
})

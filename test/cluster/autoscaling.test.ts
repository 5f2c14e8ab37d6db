import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { sampleClusterService } from '../kit/cluster-service-sample.ts'
import { type BuiltProject, buildProject } from '../kit/cluster/built-project.ts'
import { openOnce } from '../kit/open-once.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import { deployAndWait, isSettled, listPods, lookUntil, reachService } from '../kit/cluster/real-service.ts'
import { startServiceLoad } from '../kit/cluster/service-load.ts'
import { modelsDir } from '../kit/replica-rig.ts'

/** The rendered autoscalers, in the hands of Kubernetes' own, which reads metrics-server. */

const namespace = 'ml'
const most = 3
const timeoutMs = 30_000
/** Down as soon as the figures say so: five minutes otherwise. */
const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } }

const rows = (count: number) => {
  const data = Array.from({ length: count * 64 }, () => 1)
  return { inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 64], data }] }
}

describe('autoscaling on a cluster', { concurrency: true }, () => {
  let cluster: Cluster
  let client: KubeClient
  let numbers: BuiltProject

  const it = openOnce(120_000, async (scope) => {
    const controllerFlags = ['--horizontal-pod-autoscaler-sync-period=2s']
    const opened = await openCluster(scope, { node: true, metrics: true, controllerFlags })
    if (opened === undefined) return
    cluster = opened
    numbers = await buildProject(scope, 'numbers', join(modelsDir, 'slow.onnx'))
    await cluster.loadImage(numbers.archive)
    await cluster.applyNodes([{ name: 'fake-1', labels: { 'towline.test/node': 'fake' } }])
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
    scope.after(() => client.close())
  })

  const untilReplicas = async (name: string, wanted: number): Promise<number> => {
    const startMs = performance.now()
    await lookUntil(`${name} has ${wanted} replicas`, async () => {
      const deployment = await client.get<Deployment>(resources.deployments, name)
      const pods = await listPods(client, name)
      return deployment?.spec?.replicas === wanted && pods.length === wanted && pods.every(isSettled)
    })
    return Math.round(performance.now() - startMs)
  }

  it('adds real pods while they compute, takes them away after that, and no caller notices', async (t) => {
    const autoscaling = { minReplicas: 1, maxReplicas: most, targets: { cpuPercent: 50 }, behavior }
    const pod = { nodeSelector: { 'towline.test/node': 'real' } }
    // How far the first pod falls behind until others help is a matter of the machine, not of scaling.
    const serving = { maxQueuedRows: 8192, timeout: `${timeoutMs}ms` }
    const resourcesOfPod = { cpu: '100m', memory: '256Mi' }
    await deployAndWait(client, await numbers.seal({ resources: resourcesOfPod, serving, autoscaling, pod }))
    const url = `${await reachService(cluster, client, 'numbers')}/v2/models/numbers/infer`
    const light = await startServiceLoad(t, url, rows(1), { ratePerSecond: 6, timeoutMs })
    const heavy = await startServiceLoad(t, url, rows(20), { ratePerSecond: 45, timeoutMs })
    const upMs = await untilReplicas('numbers', most)
    assert.deepEqual(Object.keys(await heavy.stop()), ['ok'])
    const downMs = await untilReplicas('numbers', 1)
    assert.deepEqual(Object.keys(await light.stop()), ['ok'])
    t.diagnostic(`from 1 to ${most} in ${upMs} ms, back in ${downMs} ms`)
  })

  it('follows the memory that pods use', async (t) => {
    const annotations = { 'kwok.x-k8s.io/usage-memory': '90Mi' }
    const service = sampleClusterService({
      resources: { cpu: '100m', memory: '100Mi' },
      autoscaling: { minReplicas: 1, maxReplicas: most, targets: { memoryPercent: 30 }, behavior },
      pod: { nodeSelector: { 'towline.test/node': 'fake' }, patch: { metadata: { annotations } } },
    })
    await deployAndWait(client, service)
    const upMs = await untilReplicas('cats', most)
    const less = 'kwok.x-k8s.io/usage-memory=10Mi'
    await cluster.kubectl(['annotate', 'pods', '-n', namespace, '-l', 'towline.dev/service=cats', '--overwrite', less])
    const downMs = await untilReplicas('cats', 1)
    t.diagnostic(`from 1 to ${most} in ${upMs} ms, back in ${downMs} ms`)
  })
})

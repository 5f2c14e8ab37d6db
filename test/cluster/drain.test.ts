import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { buildProject } from '../kit/cluster/built-project.ts'
import { openCluster } from '../kit/cluster/open-cluster.ts'
import { deployAndWait, isSettled, listPods, lookUntil, reachService } from '../kit/cluster/real-service.ts'
import { startServiceLoad } from '../kit/cluster/service-load.ts'
import { modelsDir } from '../kit/replica-rig.ts'

const namespace = 'ml'
const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 1, 1, 1] }] }

test('`kubectl drain` of one of two real nodes loses no request', { timeout: 120_000 }, async (t) => {
  const cluster = await openCluster(t, { secondNode: true, kwok: false })
  if (cluster === undefined) return
  const numbers = await buildProject(t, 'numbers', join(modelsDir, 'mlp-dynamic.onnx'))
  await cluster.loadImage(numbers.archive)
  await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
  const client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
  t.after(() => client.close())
  await deployAndWait(client, await numbers.seal({ replicas: 4, resources: { cpu: '200m', memory: '256Mi' } }))
  const countOn = async (node: string): Promise<number> =>
    (await listPods(client, 'numbers')).filter(({ spec }) => spec?.nodeName === node).length
  assert.ok((await countOn('real-2')) > 0, 'no pod is on the node that is to be drained')

  const url = `${await reachService(cluster, client, 'numbers')}/v2/models/numbers/infer`
  const load = await startServiceLoad(t, url, body)
  await cluster.kubectl(['drain', 'real-2', '--timeout=90s'])
  await lookUntil('all pods serve', async () => (await listPods(client, 'numbers')).every(isSettled))
  const { ok = 0, ...lost } = await load.stop()
  assert.deepEqual(lost, {})
  assert.ok(ok >= 200, `${ok} answers`)
  assert.deepEqual([await countOn('real-1'), await countOn('real-2')], [4, 0])
  t.diagnostic(`${ok} requests, none lost`)
})

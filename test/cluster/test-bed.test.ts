import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster } from '../kit/cluster/open-cluster.ts'

const gone: string[] = []
after(() => {
  for (const folder of gone) assert.ok(!existsSync(folder), `${folder} was left behind`)
})

function writeDeployment(name: string, replicas: number, annotations: object, resources: object): object {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: { containers: [{ name: 'main', image: 'example/image:1', resources }] },
      },
    },
  }
}

/** Looks until the answer is the wanted one; the last answer, at the latest after 60 s. */
async function lookFor(wanted: string, look: () => Promise<string>): Promise<string> {
  const endMs = performance.now() + 60_000
  for (;;) {
    const seen = await look()
    if (seen === wanted || performance.now() > endMs) return seen
    await sleep(200)
  }
}

test('two clusters come up at once, apart from each other', async (t) => {
  const startMs = performance.now()
  const [one, two] = await Promise.all([openCluster(t), openCluster(t)])
  if (one === undefined || two === undefined) return
  t.diagnostic(`both up in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  gone.push(dirname(one.kubeconfig), dirname(two.kubeconfig))
  await one.kubectl(['create', 'namespace', 'only-here'])
  const { out } = await two.kubectl(['get', 'namespaces', '--output=name'])
  assert.doesNotMatch(out, /only-here/)

  await one.applyNodes([{ name: 'fake-1' }, { name: 'gpu-1', gpus: 8, labels: { 'example.com/kind': 'gpu' } }])
  await one.apply([writeDeployment('web', 5, {}, {})])
  await one.kubectl(['rollout', 'status', 'deployment/web', '--timeout=30s'])

  await one.apply([writeDeployment('gpu', 3, {}, { limits: { 'nvidia.com/gpu': '4' } })])
  const phases = async (): Promise<string> =>
    (await one.kubectl(['get', 'pods', '--selector=app=gpu', '--output=jsonpath={.items[*].status.phase}'])).out
      .split(' ')
      .toSorted()
      .join(' ')
  assert.equal(await lookFor('Pending Running Running', phases), 'Pending Running Running')

  await one.apply([writeDeployment('bad', 1, { 'towline.test/crash': 'true' }, {})])
  const reason = '--output=jsonpath={.items[0].status.containerStatuses[0].state.waiting.reason}'
  const waiting = async (): Promise<string> =>
    (await one.kubectl(['get', 'pods', '--selector=app=bad', reason]).catch(() => ({ out: 'none yet' }))).out
  assert.equal(await lookFor('CrashLoopBackOff', waiting), 'CrashLoopBackOff')

  await one.stopApiServer()
  await assert.rejects(one.kubectl(['get', 'nodes', '--request-timeout=2s']), /refused/)
  await one.startApiServer()
  assert.match((await one.kubectl(['get', 'nodes'])).out, /gpu-1/)
})

test('a HorizontalPodAutoscaler scales by the CPU that pods say they use', async (t) => {
  const cluster = await openCluster(t, {
    metrics: true,
    controllerFlags: ['--horizontal-pod-autoscaler-sync-period=2s'],
  })
  if (cluster === undefined) return
  gone.push(dirname(cluster.kubeconfig))
  await cluster.applyNodes([{ name: 'fake-1' }])
  await cluster.apply([
    writeDeployment('busy', 1, { 'kwok.x-k8s.io/usage-cpu': '400m' }, { requests: { cpu: '200m' } }),
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'busy', namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'busy' },
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    },
  ])
  const replicas = async (): Promise<string> =>
    (await cluster.kubectl(['get', 'deployment/busy', '--output=jsonpath={.spec.replicas}'])).out
  assert.equal(await lookFor('4', replicas), '4')
})

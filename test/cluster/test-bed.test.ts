import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster } from '../kit/cluster/open-cluster.ts'
import { writeArchive } from '../kit/cluster/program-image.ts'
import { clusterPrograms } from '../kit/cluster/programs.ts'

const gone: string[] = []
after(() => {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
  for (const folder of gone) {
    assert.ok(!existsSync(folder), `${folder} was left behind`)
    assert.ok(!mounts.includes(folder), `a mount in ${folder} was left behind`)
    const name = basename(folder)
    assert.deepEqual(globSync([`/sys/fs/cgroup/${name}`, `/sys/fs/cgroup/*/${name}`]), [])
  }
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

test('a real node runs a pod of our image, which answers through its Service', async (t) => {
  const startMs = performance.now()
  const cluster = await openCluster(t, { node: true })
  if (cluster === undefined) return
  t.diagnostic(`up with a real node in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  gone.push(dirname(cluster.kubeconfig))
  const archive = join(dirname(cluster.kubeconfig), 'answering.tar')
  // The only static program at hand that answers over HTTP.
  await writeArchive(archive, 'localhost/answering:1', clusterPrograms.at('etcd'))
  await cluster.loadImage(archive)
  const labels = { app: 'answering' }
  const urls = ['--listen-client-urls=http://0.0.0.0:2379', '--advertise-client-urls=http://127.0.0.1:2379']
  const container = { name: 'main', image: 'localhost/answering:1', imagePullPolicy: 'Never', args: urls }
  await cluster.apply([
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'answering', namespace: 'default', labels },
      spec: {
        containers: [{ ...container, readinessProbe: { httpGet: { path: '/health', port: 2379 }, periodSeconds: 1 } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'answering', namespace: 'default' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 2379 }] },
    },
  ])
  await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=60s', 'pod/answering'])
  const address = await cluster.kubectl(['get', 'service/answering', '--output=jsonpath={.spec.clusterIP}'])
  const port = await cluster.relay(address.out, 80)
  // The rules of a Service follow a moment after its pod is ready.
  const answer = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    return response === undefined ? 'no answer' : ((await response.json()) as { readonly health: string }).health
  }
  assert.equal(await lookFor('true', answer), 'true')
})

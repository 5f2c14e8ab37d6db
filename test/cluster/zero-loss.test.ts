import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, describe } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { rollbackService } from '../../src/cluster/orders/rollback-service.ts'
import { scaleService } from '../../src/cluster/orders/scale-service.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { checkLog, classifyCat } from '../image/served-image.ts'
import { type BuiltProject, buildProject } from '../kit/cluster/built-project.ts'
import { openOnce } from '../kit/open-once.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import {
  countAnswers,
  deployAndWait,
  evict,
  isSettled,
  listPods,
  lookUntil,
  reachService,
  untilServing,
} from '../kit/cluster/real-service.ts'
import { startServiceLoad } from '../kit/cluster/service-load.ts'
import { example } from '../kit/command.ts'
import { modelsDir } from '../kit/replica-rig.ts'

/** Pods of images that `towline build` made, on a real node, asked through their Service. */

const namespace = 'ml'
const resourcesOfPod = { cpu: '200m', memory: '256Mi' }
const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 1, 1, 1] }] }
/** A load that met hardly anything is no proof. */
const leastAnswers = 200

describe('a service of our own image on a real node', () => {
  let cluster: Cluster
  let client: KubeClient
  let cats: BuiltProject
  let numbers: BuiltProject

  const it = openOnce(90_000, async (scope) => {
    const opened = await openCluster(scope, { node: true, kwok: false })
    if (opened === undefined) return
    cluster = opened
    cats = await buildProject(scope, 'image-classifier', join(example, 'model'))
    numbers = await buildProject(scope, 'numbers', join(modelsDir, 'mlp-dynamic.onnx'))
    for (const { archive } of [cats, numbers]) await cluster.loadImage(archive)
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
    scope.after(() => client.close())
  })

  const deployNumbers = async (version: string): Promise<void> => {
    const env = [{ name: 'VERSION', value: version }]
    await deployAndWait(client, await numbers.seal({ replicas: 3, resources: resourcesOfPod, env }))
  }

  const nameNumbers = async (): Promise<readonly string[]> =>
    (await listPods(client, 'numbers'))
      .filter(isSettled)
      .map(({ metadata }) => metadata?.name ?? '')
      .toSorted()

  /** Callers meanwhile see nothing but answers, until the last of the old pods has gone and each new one has served. */
  const losesNothing = async (t: TestContext, work: () => Promise<void>): Promise<void> => {
    const before = await nameNumbers()
    const load = await startServiceLoad(t, `${await reachService(cluster, client, 'numbers')}${inferPath}`, body)
    await work()
    await lookUntil('all pods serve and none is on its way out', async () => {
      const pods = await listPods(client, 'numbers')
      if (!pods.every(isSettled)) return false
      const counts = await Promise.all(pods.map((pod) => countAnswers(cluster, pod)))
      return counts.every((count) => count > 0)
    })
    const counts = await load.stop()
    assert.deepEqual(Object.keys(counts), ['ok'], JSON.stringify(counts))
    assert.ok((counts['ok'] ?? 0) >= leastAnswers, JSON.stringify(counts))
    assert.notDeepEqual(await nameNumbers(), before, 'the pods are the ones from before')
    t.diagnostic(`${counts['ok']} requests, none lost`)
  }

  it('answers the photo of a cat, without any rights on its node', async () => {
    await deployAndWait(client, await cats.seal({ replicas: 2, resources: { ...resourcesOfPod, memory: '512Mi' } }))
    const url = await reachService(cluster, client, 'image-classifier')
    await lookUntil('the Service leads to its pods', async () => {
      const answer = await fetch(`${url}/v2/health/ready`).catch(() => undefined)
      return answer?.ok === true
    })
    assert.equal((await classifyCat(url))[0], 'Egyptian cat')
    const metricsUrl = await reachService(cluster, client, 'image-classifier', 9090)
    assert.match(await (await fetch(`${metricsUrl}/metrics`)).text(), /^towline_requests_in_flight\{/m)

    const [pod] = await listPods(client, 'image-classifier')
    const inPod = ['-n', namespace, pod?.metadata?.name ?? assert.fail('there is no pod')]
    const { out: log } = await cluster.kubectl(['logs', ...inPod])
    assert.match(log, /"msg":"ready"/)
    checkLog(log)
    const { out } = await cluster.kubectl(['exec', ...inPod, '--', '/opt/towline/node/bin/node', '-e', askRights])
    assert.match(out, /^Uid:\t65532\t65532\t65532\t65532$/m)
    assert.match(out, /^CapEff:\t0+$/m)
    assert.match(out, /^NoNewPrivs:\t1$/m)
    assert.match(out, /^Seccomp:\t2$/m)
    assert.match(out, /^writing: EROFS EROFS EROFS$/m)
  })

  it('loses no request through a rolling update', async (t) => {
    await deployNumbers('1')
    await losesNothing(t, () => deployNumbers('2'))
  })

  it('loses no request through a rollback', async (t) => {
    await losesNothing(t, async () => {
      const { label } = await rollbackService(client, { namespace, name: 'numbers' })
      await untilServing(client, 'numbers', label)
    })
  })

  it('loses no request while one pod after another is evicted, as its budget lets them go', async (t) => {
    await losesNothing(t, async () => {
      const [first = '', second = '', third = ''] = await nameNumbers()
      assert.equal(await evict(client, first), 'Gone')
      assert.equal(await evict(client, second), 'Refused')
      for (const name of [second, third])
        await lookUntil(`${name} may go`, async () => (await evict(client, name)) === 'Gone')
    })
  })

  it('loses no request when three replicas become one', async (t) => {
    await losesNothing(t, async () => {
      await scaleService(client, { namespace, name: 'numbers', replicas: 1 })
      await lookUntil('one is left', async () => (await nameNumbers()).length === 1)
    })
  })

  it('would lose some without the wait before a pod ends: the tests above can fail', async (t) => {
    const rendered = await client.get<Deployment>(resources.deployments, 'numbers')
    await cluster.apply(withoutWait(rendered ?? assert.fail('there is no Deployment'), 'hasty'))
    const rollout = async (...args: string[]): Promise<void> =>
      void (await cluster.kubectl(['rollout', ...args, '-n', namespace, 'deployment/hasty']))
    await rollout('status', '--timeout=60s')
    const load = await startServiceLoad(t, `${await reachService(cluster, client, 'hasty')}${inferPath}`, body, {
      ratePerSecond: 150,
      timeoutMs: 2000,
    })
    await rollout('restart')
    await lookUntil('a request is lost', async () => load.failed > 0)
    const { ok = 0, ...lost } = await load.stop()
    assert.ok(ok >= leastAnswers, `${ok} answers`)
    assert.notDeepEqual(lost, {})
    t.diagnostic(`${ok} requests answered, lost: ${JSON.stringify(lost)}`)
  })
})

const inferPath = '/v2/models/numbers/infer'

/** For Node in a pod: what it may do, and whether it may write. */
const askRights = `
  const { readFileSync, writeFileSync } = require('node:fs')
  const write = (path) => { try { writeFileSync(path, ''); return 'written' } catch ({ code }) { return code } }
  console.log(readFileSync('/proc/self/status', 'utf8'))
  console.log('writing:', write('/file'), write('/tmp/file'), write('/etc/towline/file'))`

/** The same pods, but for one thing: they are told to end while requests still come. */
function withoutWait({ spec }: Deployment, name: string): readonly object[] {
  const metadata = { name, namespace }
  const labels = { app: name }
  const pod = spec?.template.spec
  const containers = pod?.containers.map((container) => ({ ...container, lifecycle: undefined }))
  const template = { metadata: { labels }, spec: { ...pod, topologySpreadConstraints: [], containers } }
  const ports = [{ port: 80, targetPort: 'http' }]
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 3, selector: { matchLabels: labels }, strategy: spec?.strategy, template },
    },
  ]
}

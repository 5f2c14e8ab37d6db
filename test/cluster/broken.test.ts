import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, describe } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { explainEnd } from '../../src/cli/cluster/deploy-failure.ts'
import type { TowlineError } from '../../src/base/errors.ts'
import { explainLook } from '../../src/cluster/explain-look.ts'
import { observeService } from '../../src/cluster/observe.ts'
import { deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import type { ClusterService } from '../../src/spec/cluster-service.ts'
import { type BuiltProject, buildProject } from '../kit/cluster/built-project.ts'
import { openOnce } from '../kit/open-once.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'
import { modelsDir } from '../kit/replica-rig.ts'

/** Deployments broken as they are in practice, on a real node: each is explained within ten seconds of being written. */

type Spec = Partial<ModelServiceDocument['spec']>

interface Broken {
  readonly spec: Spec
  /** Absent: `ml`. */
  readonly namespace?: string
  readonly image?: string
  /** Not in the spec, which would be warned of: the server does not use any so far. */
  readonly gpus?: number
  readonly reason: string
  /** Words of what happened, and of what to do. */
  readonly says: RegExp
  readonly advises: RegExp
  /** Known before anything is written; it is written all the same, as if nodes were to be added. */
  readonly isForeseen?: boolean
}

const server = (fields: object): Spec => ({ pod: { patch: { spec: { containers: [{ name: 'server', ...fields }] } } } })
const node = '/opt/towline/node/bin/node'
const listenElsewhere = "require('http').createServer().listen(9999, () => console.log('listening on port 9999'))"
const secret = { valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } }
const settings = { valueFrom: { configMapKeyRef: { name: 'places', key: 'region' } } }

const broken: Readonly<Record<string, Broken>> = {
  'image-host': {
    spec: {},
    image: `registry.example.invalid/cats@sha256:${'1'.repeat(64)}`,
    reason: 'ImageHostUnknown',
    says: /registry\.example\.invalid/,
    advises: /correct the host/,
  },
  'image-missing': {
    spec: {},
    image: `localhost:5000/cats@sha256:${'1'.repeat(64)}`,
    reason: 'ImageMissing',
    says: /cats@sha256:111111… does not exist/,
    advises: /push it to localhost:5000/,
  },
  'program-missing': {
    spec: server({ command: ['/nope'] }),
    reason: 'ProgramMissing',
    says: /"\/nope"/,
    advises: /entrypoint|command/,
  },
  crash: {
    spec: server({ args: ['--no-such-option-of-node'] }),
    reason: 'Crashed',
    says: /while it started with exit code \d+/,
    advises: /towline logs crash --previous --context \S+ -n ml/,
  },
  'startup-too-short': {
    spec: { ...server({ command: [node, '-e', 'setInterval(() => {}, 1000)'] }), lifecycle: { startupTimeout: '2s' } },
    reason: 'StartupTooSlow',
    says: /did not answer on port 8080 within \d+s of its start .*connection refused/,
    advises: /`lifecycle.startupTimeout` \(\d+s now\)/,
  },
  'wrong-port': {
    spec: { ...server({ command: [node, '-e', listenElsewhere] }), lifecycle: { startupTimeout: '2s' } },
    reason: 'WrongPort',
    says: /on port 8080, where nothing listens; it says that it listens on port 9999/,
    advises: /listen on port 8080/,
  },
  'out-of-memory': {
    spec: { resources: { cpu: '50m', memory: '16Mi' } },
    reason: 'OutOfMemory',
    says: /limit of 16Mi/,
    advises: /`resources.memory` \(16Mi now\)/,
  },
  'secret-missing': {
    spec: { env: [{ name: 'TOKEN', ...secret }] },
    reason: 'SecretMissing',
    says: /Secret hf does not exist in namespace ml/,
    advises: /TOKEN/,
  },
  'configmap-key': {
    spec: { env: [{ name: 'REGION', ...settings }] },
    reason: 'ConfigMapKeyMissing',
    says: /ConfigMap places .* no key region/,
    advises: /REGION/,
  },
  'claim-missing': {
    spec: { pod: { volumes: [{ name: 'work', persistentVolumeClaim: { claimName: 'gone' } }] } },
    reason: 'ClaimMissing',
    says: /PersistentVolumeClaim gone/,
    advises: /`pod.volumes`/,
  },
  'volume-missing': {
    spec: {
      pod: { volumes: [{ name: 'work', configMap: { name: 'gone' } }], mounts: [{ name: 'work', mountPath: '/work' }] },
    },
    reason: 'ConfigMapMissing',
    says: /ConfigMap gone/,
    advises: /`pod.volumes`/,
  },
  'account-missing': {
    spec: { pod: { serviceAccountName: 's3-reader' } },
    reason: 'ServiceAccountMissing',
    says: /s3-reader/,
    advises: /kubectl create serviceaccount s3-reader -n ml/,
  },
  'runtime-class': {
    spec: { pod: { patch: { spec: { runtimeClassName: 'nvidia' } } } },
    reason: 'RuntimeClassMissing',
    says: /RuntimeClass nvidia/,
    advises: /GPU operator|runtimeClassName/,
    isForeseen: true,
  },
  selector: {
    spec: { pod: { nodeSelector: { pool: 'gone' } } },
    reason: 'NoNodeMatches',
    says: /pool=gone/,
    advises: /`pod.nodeSelector`/,
    isForeseen: true,
  },
  'no-cpu': {
    spec: { resources: { cpu: 512, memory: '64Mi' } },
    reason: 'NoCpuFree',
    says: /no node has 512 CPU/,
    advises: /`resources.cpu`/,
    isForeseen: true,
  },
  'no-gpu': {
    spec: {},
    gpus: 4,
    reason: 'NoGpuFree',
    says: /no node has 4 nvidia\.com\/gpu free.*train\/held holds 8 on gpus/,
    advises: /`gpu.count`|`replicas`/,
    isForeseen: true,
  },
  taint: {
    spec: { pod: { nodeSelector: { pool: 'tainted' } } },
    reason: 'Tainted',
    says: /example\.com\/team=other:NoSchedule/,
    advises: /`pod.tolerations`/,
    isForeseen: true,
  },
  quota: {
    spec: {},
    namespace: 'tight',
    reason: 'QuotaExceeded',
    says: /pods/,
    advises: /`replicas`|quota/,
    isForeseen: true,
  },
  'limit-range': {
    spec: { resources: { cpu: '50m', memory: '4Gi' } },
    namespace: 'limited',
    reason: 'LimitRangeRefused',
    says: /at most 1Gi of memory, and 4Gi/,
    advises: /lower `resources.memory`/,
  },
  'pod-security': {
    spec: { pod: { patch: { spec: { hostNetwork: true } } } },
    namespace: 'restricted',
    reason: 'PodSecurityRefused',
    says: /restricted/,
    advises: /`pod`/,
  },
}

const atATime = 4

/** A registry that has nothing. */
const emptyRegistry = `require('http').createServer((request, response) => {
  response.writeHead(request.url === '/v2/' ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
}).listen(5000, '127.0.0.1')`

/** A resolver that knows no name (NXDOMAIN): the question again, with an answer's flags. */
const emptyResolver = `const socket = require('dgram').createSocket('udp4')
socket.on('message', (question, { port, address }) => {
  const answer = Buffer.from(question)
  answer.writeUInt16BE(0x8183, 2)
  answer.writeUInt32BE(0, 6)
  answer.writeUInt16BE(0, 10)
  let end = 12
  while (answer[end] !== 0) end += answer[end] + 1
  socket.send(answer.subarray(0, end + 5), port, address)
}).bind(53, '127.0.0.1')`

const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'train' } },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'held', namespace: 'train' },
    spec: {
      nodeName: 'gpus',
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'm', image: 'x', resources: { limits: { 'nvidia.com/gpu': '8' } } }],
    },
  },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ml' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'limited' } },
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'restricted', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few', namespace: 'tight' },
    spec: { hard: { pods: '0' } },
  },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small', namespace: 'limited' },
    spec: { limits: [{ type: 'Container', max: { memory: '1Gi' } }] },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'places', namespace: 'ml' }, data: { country: 'x' } },
]

describe('broken deployments', () => {
  let cluster: Cluster
  let client: KubeClient
  let project: BuiltProject

  const it = openOnce(120_000, async (scope) => {
    const opened = await openCluster(scope, { node: true })
    if (opened === undefined) return
    cluster = opened
    project = await buildProject(scope, 'numbers', join(modelsDir, 'mlp-dynamic.onnx'))
    await cluster.loadImage(project.archive)
    const noRoom = { effect: 'NoSchedule', key: 'nvidia.com/gpu', value: 'present' }
    const taints = [{ key: 'example.com/team', value: 'other', effect: 'NoSchedule' }]
    await cluster.applyNodes([
      { name: 'tainted', labels: { pool: 'tainted' }, taints },
      { name: 'gpus', gpus: 8, labels: { 'nvidia.com/gpu.count': '8' }, taints: [noRoom] },
    ])
    await cluster.apply(objects)
    for (const program of [emptyRegistry, emptyResolver]) {
      const running = cluster.spawnInside(process.execPath, ['-e', program], { stdio: 'ignore' })
      scope.after(() => running.kill())
    }
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig })
    scope.after(() => client.close())
  })

  const sealAs = async (name: string, { spec, image, gpus }: Broken): Promise<ClusterService> => {
    const sealed = await project.seal({ resources: { cpu: '50m', memory: '128Mi' }, ...spec })
    return {
      ...sealed,
      service: { ...sealed.service, name },
      ...(image === undefined ? {} : { image }),
      ...(gpus === undefined ? {} : { gpu: { count: gpus, sharing: 'Exclusive' } }),
    }
  }

  it('each is explained within ten seconds of being written, with what to do', async (t) => {
    // Sealing writes into one folder; the cluster meets some of them at a time, so that the one node is not what is measured.
    const services: [string, ClusterService][] = []
    for (const [name, each] of Object.entries(broken)) services.push([name, await sealAs(name, each)])
    const problems: string[] = []
    for (let start = 0; start < services.length; start += atATime) {
      const some = services.slice(start, start + atATime).map(async ([name, service]) => await check(t, name, service))
      problems.push(...(await Promise.all(some)).flat())
    }
    assert.deepEqual(problems, [])
  })

  async function check(t: TestContext, name: string, service: ClusterService): Promise<readonly string[]> {
    const { namespace = 'ml', reason, says, advises, isForeseen = false } = broken[name] ?? assert.fail(name)
    const problems: string[] = []
    const expect = (is: boolean, what: string): void => void (is || problems.push(`${name}: ${what}`))
    const target = { client, service, rendered: renderObjects(service, { namespace }) }
    const { plan } = await prepareDeploy(target)
    const codes = plan.refusals.map(({ code }) => code)
    expect(codes.includes('TL_DEPLOY_IMPOSSIBLE') === isForeseen, `foreseen as ${JSON.stringify(plan.refusals)}`)

    const prepared = await prepareDeploy({ ...target, expectNodes: true })
    const signal = AbortSignal.timeout(60_000)
    const startMs = performance.now()
    const options = { ...target, clock: systemClock, signal, wait: true, timeoutMs: 30_000 }
    const end = await deployService(options, prepared)
    const tookMs = Math.round(performance.now() - startMs)
    const { message, hint = '' } = explainEnd(plan, end) ?? { message: JSON.stringify(end) }
    t.diagnostic(`${name}: ${tookMs} ms\n  ${message}\n  ${hint}`)
    expect(end.kind === 'Failed' && end.cause.reason === reason, JSON.stringify(end))
    expect(tookMs < 10_000, `took ${tookMs} ms`)
    expect(says.test(message), `says ${message}`)
    expect(advises.test(hint), `advises ${hint}`)
    return problems
  }

  it('a disruption budget that lets no pod go is told, and takes nothing from the service', async () => {
    const service = await project.seal({ replicas: 2, resources: { cpu: '50m', memory: '128Mi' } })
    const target = { client, service, rendered: renderObjects(service, { namespace: 'ml' }) }
    const signal = AbortSignal.timeout(60_000)
    const options = { ...target, clock: systemClock, signal, wait: true }
    assert.equal((await deployService(options, await prepareDeploy(target))).kind, 'Ready')
    const { name } = service.service
    await cluster.kubectl(['patch', 'pdb', name, '-n', 'ml', '--type=merge', '-p', '{"spec":{"maxUnavailable":0}}'])
    const startMs = performance.now()
    const place = { namespace: 'ml', name, clock: systemClock, signal }
    let explanation = await explainLook(client, await observeService(client, place))
    while (explanation.causes.length === 0 && performance.now() - startMs < 10_000) {
      await systemClock.sleep(200)
      explanation = await explainLook(client, await observeService(client, place))
    }
    assert.equal(explanation.state, 'Ready')
    assert.match(explanation.causes[0]?.sentence ?? '', /none of its pods may be evicted.*maxUnavailable 0/)
    assert.match(explanation.causes[0]?.advice ?? '', /maxUnavailable: 1/)
  })

  it('an API server that is gone is said within ten seconds, and a wait goes on once it is back', async () => {
    const service = await project.seal({
      replicas: 2,
      resources: { cpu: '50m', memory: '128Mi' },
      env: [{ name: 'A', value: '1' }],
    })
    const target = { client, service, rendered: renderObjects(service, { namespace: 'ml' }) }
    const prepared = await prepareDeploy(target)
    const words: string[] = []
    const signal = AbortSignal.timeout(80_000)
    const begun = Promise.withResolvers<undefined>()
    const end = deployService(
      {
        ...target,
        clock: systemClock,
        signal,
        wait: true,
        onProgress: (_, progress) => {
          words.push(progress.words)
          begun.resolve(undefined)
        },
      },
      prepared,
    )
    await begun.promise
    await cluster.stopApiServer()
    const startMs = performance.now()
    await assert.rejects(prepareDeploy(target), (error) => {
      const { code, message } = error as TowlineError
      return code === 'TL_CLUSTER_UNREACHABLE' && message.includes(cluster.url)
    })
    assert.ok(performance.now() - startMs < 10_000)
    const isSaid = (): boolean => words.some((each) => each.startsWith('the API server does not answer: '))
    while (!isSaid() && performance.now() - startMs < 10_000) await systemClock.sleep(50)
    assert.ok(isSaid(), words.join('\n'))
    await cluster.startApiServer()
    assert.equal((await end).kind, 'Ready', words.join('\n'))
  })
})

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { systemClock } from '../../src/base/clock.ts'
import { writeManifests } from '../../src/cli/cluster/write-manifests.ts'
import { type DeployEnd, deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { listRevisions } from '../../src/cluster/revisions.ts'
import type { DeployPlan } from '../../src/cluster/plan/deploy-plan.ts'
import { type DeployTarget, type PreparedDeploy, prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import { rollbackService } from '../../src/cluster/orders/rollback-service.ts'
import { observeService } from '../../src/cluster/observe.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import { loadSpec } from '../../src/spec/load.ts'
import { inputsHash, renderLock } from '../../src/spec/lock.ts'
import { printModel } from '../../src/spec/model/model-print.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import { openOnce } from '../kit/open-once.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'
import { collect, example, start } from '../kit/command.ts'
import { gpuNode, nodeObject } from '../kit/gpu-nodes.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'

/** Deploys to a real control plane; its nodes and pods are played by KWOK. */

type Spec = Partial<ModelServiceDocument['spec']>

const namespace = 'ml'
const small = { cpu: '100m', memory: '64Mi' }
const crashing: Spec = { pod: { patch: { metadata: { annotations: { 'towline.test/crash': 'true' } } } } }

describe('a service deployed to a cluster', () => {
  let cluster: Cluster
  let client: KubeClient

  const it = openOnce(120_000, async (scope) => {
    const opened = await openCluster(scope)
    if (opened === undefined) return
    cluster = opened
    await cluster.applyNodes([{ name: 'node-a' }, { name: 'node-b' }])
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
    scope.after(() => client.close())
  })

  const targetOf = (name: string, spec: Spec, more: Partial<DeployTarget> = {}): DeployTarget => {
    const service = resolveClusterService({ ...sealedDocument({ resources: small, ...spec }), metadata: { name } })
    return { client, service, rendered: renderObjects(service, { namespace }), ...more }
  }

  const deploy = async (
    name: string,
    spec: Spec = {},
    more: Partial<DeployTarget> = {},
  ): Promise<{ readonly plan: DeployPlan; readonly end: DeployEnd; readonly prepared: PreparedDeploy }> => {
    const target = targetOf(name, spec, more)
    const prepared = await prepareDeploy(target)
    assert.deepEqual(prepared.plan.refusals, [])
    const signal = AbortSignal.timeout(60_000)
    const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
    return { plan: prepared.plan, end, prepared }
  }

  const readDeployment = async (name: string): Promise<Deployment> => {
    const found = await client.get<Deployment>(resources.deployments, name)
    assert.ok(found)
    return found
  }

  /** The version of everything that is applied, and of the ReplicaSets. */
  const readVersions = async (name: string): Promise<Record<string, string>> => {
    const kinds =
      'serviceaccounts,configmaps,networkpolicies,services,deployments,poddisruptionbudgets,horizontalpodautoscalers,replicasets'
    const { out } = await cluster.kubectl([
      'get',
      kinds,
      '-n',
      namespace,
      '-l',
      `towline.dev/service=${name}`,
      '-o',
      'json',
    ])
    const { items } = JSON.parse(out) as {
      items: { kind: string; metadata: { name: string; resourceVersion: string } }[]
    }
    return Object.fromEntries(items.map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.resourceVersion]))
  }

  const actionsOf = ({ objects }: DeployPlan): Record<string, string> =>
    Object.fromEntries(objects.map(({ kind, action }) => [kind, action]))

  it('is new, is waited for, and a second deploy changes nothing', async () => {
    const first = await deploy('twice', { replicas: 2 })
    assert.equal(first.end.kind, 'Ready')
    assert.ok(first.plan.objects.every(({ action }) => action === 'New'))
    assert.deepEqual(first.plan.replicas, { from: null, to: 2, by: 'Spec' })
    assert.equal(first.plan.pods, null)
    assert.equal(first.plan.placement?.kind, 'Surge')
    const before = await readVersions('twice')
    assert.ok(Object.keys(before).length >= 7)
    const second = await deploy('twice', { replicas: 2 })
    assert.ok(second.plan.objects.every(({ action }) => action === 'Same'))
    assert.deepEqual(second.prepared.writes, [])
    assert.equal(second.end.kind, 'Ready')
    assert.deepEqual(await readVersions('twice'), before)
  })

  it('keeps the number that somebody scaled it to, until the spec has another one', async () => {
    await deploy('scaled', { replicas: 1 })
    await cluster.kubectl(['scale', 'deployment', 'scaled', '-n', namespace, '--replicas=3'])
    const kept = await deploy('scaled', { replicas: 1, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(kept.plan.replicas, { from: 3, to: 3, by: 'Kept' })
    assert.equal((await readDeployment('scaled')).spec?.replicas, 3)
    const set = await deploy('scaled', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(set.plan.replicas, { from: 3, to: 2, by: 'Spec' })
    assert.equal(set.plan.pods, null)
    assert.equal((await readDeployment('scaled')).spec?.replicas, 2)
  })

  it('goes from a fixed number to an autoscaler and back without falling to one replica', async () => {
    const autoscaling = { minReplicas: 2, maxReplicas: 6, targets: { cpuPercent: 70 } }
    await deploy('handed', { replicas: 4 })
    const scaled = await deploy('handed', { autoscaling })
    assert.deepEqual(scaled.plan.replicas, { from: 4, to: 4, by: 'Kept' })
    assert.equal(actionsOf(scaled.plan)['HorizontalPodAutoscaler'], 'New')
    assert.match(scaled.plan.warnings.join(), /serves no metrics\.k8s\.io/)
    assert.equal((await readDeployment('handed')).spec?.replicas, 4)
    const fixed = await deploy('handed', { replicas: 3 })
    assert.equal(actionsOf(fixed.plan)['HorizontalPodAutoscaler'], 'Removed')
    assert.equal((await readDeployment('handed')).spec?.replicas, 3)
    assert.equal(await client.get(resources.horizontalPodAutoscalers, 'handed'), undefined)
    // Never one in between: the Deployment would have made a note of it.
    const { out } = await cluster.kubectl([
      'get',
      'events',
      '-n',
      namespace,
      '--field-selector',
      'involvedObject.name=handed,reason=ScalingReplicaSet',
    ])
    assert.doesNotMatch(out, /from 4 to 1|down replica set .* to 1\b/)
  })

  it('takes over what was applied from `towline render`, whoever applied it, and replaces no pod', async () => {
    const spec = { replicas: 2 }
    for (const [name, flags] of [
      ['rendered', ['--server-side']],
      ['rendered-as-us', ['--server-side', '--field-manager=towline']],
      ['rendered-by-client', []],
    ] as const) {
      const { rendered } = targetOf(name, spec)
      await cluster.kubectl(['apply', ...flags, '-f', '-'], writeManifests(rendered.objects))
      const { plan, end } = await deploy(name, spec)
      assert.equal(end.kind, 'Ready', name)
      assert.ok(
        plan.objects.every(({ action }) => action === 'Same'),
        name,
      )
      const { metadata, spec: now } = await readDeployment(name)
      assert.deepEqual([metadata?.generation, now?.replicas], [1, 2], name)
      const before = await readVersions(name)
      assert.deepEqual((await deploy(name, spec)).prepared.writes, [])
      assert.deepEqual(await readVersions(name), before)
    }
  })

  it('replaces pods for a change of env, and says which and why', async () => {
    await deploy('changed', { replicas: 2 })
    const { plan, end } = await deploy('changed', { replicas: 2, env: [{ name: 'MODE', value: 'fast' }] })
    assert.equal(end.kind, 'Ready')
    assert.deepEqual(plan.pods, {
      replaced: 2,
      manner: 'Surge',
      because: ['containers[server].env[MODE]'],
      isPaused: false,
    })
    assert.equal(plan.placement?.kind, 'Surge')
    const text = JSON.stringify(plan)
    assert.doesNotMatch(text, /fast/, 'values of env are not shown')
  })

  it('a revision that fails is given up, marked, and the one before it is back', async () => {
    await deploy('broken', { replicas: 2 })
    const target = targetOf('broken', { replicas: 2, ...crashing })
    const prepared = await prepareDeploy(target)
    const signal = AbortSignal.timeout(60_000)
    const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
    assert.ok(end.kind === 'Failed')
    assert.deepEqual([end.cause.reason, end.back.kind, end.serving], ['Crashed', 'Back', 2])
    const look = await observeService(client, { namespace, name: 'broken', clock: systemClock })
    const revisions = listRevisions(look)
    assert.deepEqual(
      revisions.map(({ number, rejected }) => [number, rejected === null]),
      [
        [2, false],
        [3, true],
      ],
    )
    const { plan } = await prepareDeploy(target)
    assert.match(plan.warnings.join(), /^revision \w+ was given up before, and nothing in it has changed: Crashed: /)
    // There is nothing good before it, so that a rollback does not go to the broken one.
    await assert.rejects(rollbackService(client, { namespace, name: 'broken' }), { code: 'TL_ROLLOUT_REFUSED' })
    // A later deploy of something good owns all of it.
    const next = await deploy('broken', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    assert.equal(next.end.kind, 'Ready')
  })

  it('a first revision that fails stays, for there is nothing to go back to', async () => {
    const target = targetOf('first', { replicas: 1, ...crashing })
    const prepared = await prepareDeploy(target)
    const signal = AbortSignal.timeout(60_000)
    const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
    assert.ok(end.kind === 'Failed')
    assert.deepEqual(end.back, { kind: 'Stays', reason: 'NothingBefore' })
  })

  it('a rollback brings an earlier revision back, and the next deploy takes away what it brought', async () => {
    await deploy('back', { replicas: 1, env: [{ name: 'OLD', value: '1' }] })
    await deploy('back', { replicas: 1, env: [{ name: 'NEW', value: '1' }] })
    const { from, to } = await rollbackService(client, { namespace, name: 'back' })
    assert.deepEqual([from, to], [2, 1])
    const names = async (): Promise<readonly (string | undefined)[]> =>
      ((await readDeployment('back')).spec?.template.spec?.containers[0]?.env ?? [])
        .map(({ name }) => name)
        .filter((name) => ['OLD', 'NEW'].includes(name))
    assert.deepEqual(await names(), ['OLD'])
    await deploy('back', { replicas: 1, env: [{ name: 'NEW', value: '1' }] })
    assert.deepEqual(await names(), ['NEW'])
  })

  it('goes by the room there is: a swap where a surge finds none, and the way it went stays with the next deploy', async () => {
    const gpu = { count: 1 }
    await cluster.applyNodes([
      { name: 'gpu-1', gpus: 2, labels: { 'nvidia.com/gpu.product': 'A10', 'nvidia.com/gpu.count': '2' } },
    ])
    await deploy('gpus', { replicas: 2, gpu })
    const { plan, end } = await deploy('gpus', { replicas: 2, gpu, env: [{ name: 'A', value: '1' }] })
    assert.equal(plan.placement?.kind, 'Swap')
    assert.equal(plan.pods?.manner, 'Swap')
    assert.equal(end.kind, 'Ready')
    const again = await deploy('gpus', { replicas: 2, gpu, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(again.prepared.writes, [])
    const more = await prepareDeploy(targetOf('gpus', { replicas: 3, gpu, env: [{ name: 'A', value: '1' }] }))
    assert.deepEqual(
      more.plan.refusals.map(({ code }) => code),
      ['TL_DEPLOY_IMPOSSIBLE'],
    )
    const grown = targetOf('gpus', { replicas: 3, gpu, env: [{ name: 'A', value: '1' }] }, { expectNodes: true })
    const hopeful = await prepareDeploy(grown)
    assert.deepEqual([hopeful.plan.refusals, hopeful.plan.placement?.kind], [[], 'Wait'])
    // All at once, where only that is possible.
    const one = await deploy('gpus', { replicas: 2, gpu: { count: 1 }, rollout: { surge: 'Recreate' } })
    assert.deepEqual([one.plan.pods?.manner, one.end.kind], ['Recreate', 'Ready'])
  })

  it('the example with five replicas goes to the GPUs that have the memory, by the command itself', async (t) => {
    const taints = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }]
    for (const node of [gpuNode('l4-a', 'l4', 4), gpuNode('l4-b', 'l4', 4), gpuNode('t4', 't4', 8)])
      await client.apply(resources.nodes, { ...nodeObject(node), spec: { taints } } as KubeObject, {
        fieldManager: 'test',
      })
    const folder = mkdtempSync(join(tmpdir(), 'towline-example-'))
    t.after(() => rmSync(folder, { recursive: true }))
    cpSync(join(example, 'towline.yaml'), join(folder, 'towline.yaml'))
    cpSync(join(example, 'model'), join(folder, 'model'), { recursive: true })
    writeFileSync(
      join(folder, 'towline.gpu.yaml'),
      'apiVersion: towline.dev/v1alpha1\nkind: ModelService\nmetadata: { name: image-classifier }\nspec: { replicas: 5, gpu: { count: 1, minMemory: 20G } }\n',
    )
    const { document } = await loadSpec(join(folder, 'towline.yaml'), { target: 'Cluster' })
    const { digest } = await printModel(join(folder, 'model'))
    const image = `registry.example/image-classifier@sha256:${'1'.repeat(64)}`
    writeFileSync(
      join(folder, 'towline.lock'),
      renderLock({ inputs: inputsHash(document), image, model: { uri: 'image:///models', digest } }),
    )
    const run = async (...args: readonly string[]) =>
      await collect(
        start([...args, '--env', 'gpu', '-n', namespace], { cwd: folder, env: { KUBECONFIG: cluster.kubeconfig } }),
      )
    const { code, out, err } = await run('deploy')
    assert.equal(code, 0, err)
    assert.match(out, /placement +Surge: there is room for 8, 5 wanted/)
    assert.match(out, /ready +5 replicas serve revision [0-9a-f]{10} after /)
    const { items } = await client.list<Pod>(resources.pods, { labelSelector: 'towline.dev/service=image-classifier' })
    assert.deepEqual(new Set(items.map(({ spec }) => spec?.nodeName)), new Set(['l4-a', 'l4-b']))
    const changed = await run('plan', '--json')
    assert.equal((JSON.parse(changed.out) as DeployPlan).objects.filter(({ action }) => action !== 'Same').length, 0)
  })

  it('a quota without room for one more pod is known before anything is written', async () => {
    await cluster.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight' } },
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'few', namespace: 'tight' },
        spec: { hard: { pods: '2' } },
      },
    ])
    const service = resolveClusterService({
      ...sealedDocument({ replicas: 3, resources: small }),
      metadata: { name: 'cats' },
    })
    const { plan } = await prepareDeploy({ client, service, rendered: renderObjects(service, { namespace: 'tight' }) })
    assert.deepEqual(
      plan.refusals.map(({ code }) => code),
      ['TL_DEPLOY_IMPOSSIBLE'],
    )
    assert.match(plan.refusals[0]?.detail ?? '', /few/)
  })

  it('refuses what is not its own, and takes it over when told to', async () => {
    await cluster.apply([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'taken', namespace, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
        spec: { selector: { app: 'x' }, ports: [{ name: 'http', port: 80 }] },
      },
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'taken', namespace },
      },
    ])
    const { plan } = await prepareDeploy(targetOf('taken', {}))
    assert.deepEqual(
      plan.refusals.map(({ code, detail }) => [code, /^\w+ taken exists .*: (Helm|\w+) manages it$/.test(detail)]),
      [
        ['TL_CLUSTER_CONFLICT', true],
        ['TL_CLUSTER_CONFLICT', true],
      ],
    )
    assert.equal(await client.get(resources.deployments, 'taken'), undefined)
    const { end } = await deploy('taken', {}, { adopt: true })
    assert.equal(end.kind, 'Ready')
  })

  it('a namespace that is not there is told with the way to make it', async () => {
    const service = resolveClusterService(sealedDocument())
    const { plan } = await prepareDeploy({
      client,
      service,
      rendered: renderObjects(service, { namespace: 'nowhere' }),
    })
    assert.equal(plan.refusals.length, 1)
    assert.match(plan.refusals[0]?.hint ?? '', /kubectl create namespace nowhere/)
  })

  it('whoever may not write is told every lack of rights at once, and nothing is written', async (t) => {
    await cluster.apply([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reader' },
        rules: [
          { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
          { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch'] },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace } },
    ])
    const { out: token } = await cluster.kubectl(['create', 'token', 'reader', '-n', namespace])
    const { out: config } = await cluster.kubectl(['config', 'view', '--raw', '-o', 'json'])
    const asReader = JSON.parse(config) as { users: { user: object }[] }
    for (const user of asReader.users) user.user = { token: token.trim() }
    const folder = mkdtempSync(join(tmpdir(), 'towline-reader-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(`${folder}/config`, JSON.stringify(asReader))
    const reader = await openKubeClient({ kubeconfig: `${folder}/config`, namespace })
    try {
      const service = resolveClusterService({ ...sealedDocument(), metadata: { name: 'forbidden' } })
      const { plan } = await prepareDeploy({ client: reader, service, rendered: renderObjects(service, { namespace }) })
      assert.ok(plan.refusals.every(({ code }) => code === 'TL_CLUSTER_FORBIDDEN'))
      const text = plan.refusals.map(({ detail }) => detail).join('\n')
      for (const plural of ['serviceaccounts', 'services', 'deployments', 'networkpolicies'])
        assert.match(text, new RegExp(plural))
      assert.doesNotMatch(text, /configmaps/)
      assert.deepEqual(await readVersions('forbidden'), {})
    } finally {
      await reader.close()
    }
  })

  it('sees what somebody else changed, says who, and sets it right', async () => {
    await deploy('drifted', {})
    await cluster.kubectl(['set', 'resources', 'deployment/drifted', '-n', namespace, '--requests=cpu=200m'])
    const { plan, end } = await deploy('drifted', {})
    const fields = plan.objects.find(({ kind }) => kind === 'Deployment')?.fields ?? []
    assert.deepEqual(
      fields.map(({ path, from, to, setBy }) => [path, from, to, setBy]),
      [['spec.template.spec.containers[server].resources.requests.cpu', '200m', '100m', ['kubectl-set']]],
    )
    assert.equal(end.kind, 'Ready')
  })

  it('two at once: one of them wins and the other is told', async () => {
    await deploy('race', { replicas: 2 })
    const one = deploy('race', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    const two = deploy('race', { replicas: 2, env: [{ name: 'B', value: '1' }] })
    const ends = await Promise.allSettled([one, two])
    const failures = ends.filter(({ status }) => status === 'rejected')
    assert.equal(failures.length, 1, JSON.stringify(ends.map(({ status }) => status)))
    assert.equal(
      (failures[0] as PromiseRejectedResult & { reason: { code: string } }).reason.code,
      'TL_CLUSTER_CONFLICT',
    )
  })

  it('a paused one is written and not waited for', async () => {
    await deploy('paused', { replicas: 1 })
    const { plan, end } = await deploy('paused', { replicas: 1, paused: true, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual([plan.pods?.isPaused, end.kind], [true, 'Paused'])
    const go = await deploy('paused', { replicas: 1, env: [{ name: 'A', value: '1' }] })
    assert.equal(go.end.kind, 'Ready')
  })
})

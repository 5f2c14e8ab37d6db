import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import type { Pod } from 'kubernetes-types/core/v1.js'
import { systemClock } from '../../src/base/clock.ts'
import { writeManifests } from '../../src/cli/cluster/write-manifests.ts'
import { deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { listRevisions } from '../../src/cluster/revisions.ts'
import type { DeployPlan } from '../../src/cluster/plan/deploy-plan.ts'
import { prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import { rollbackService } from '../../src/cluster/orders/rollback-service.ts'
import { observeService } from '../../src/cluster/observe.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import { loadSpec } from '../../src/spec/load.ts'
import { inputsHash, renderLock } from '../../src/spec/lock.ts'
import { printModel } from '../../src/spec/model/model-print.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import { type DeployBed, crashing, deployNamespace as namespace, openDeployBed } from '../kit/cluster/deploy-bed.ts'
import { openOnce } from '../kit/open-once.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'
import { collect, example, start } from '../kit/command.ts'
import { gpuNode, nodeObject } from '../kit/gpu-nodes.ts'

/** Deploys to a real control plane; its nodes and pods are played by KWOK. */

describe('a service deployed to a cluster', () => {
  let bed: DeployBed
  const it = openOnce(120_000, async (scope) => {
    const opened = await openDeployBed(scope)
    if (opened !== undefined) bed = opened
  })

  const actionsOf = ({ objects }: DeployPlan): Record<string, string> =>
    Object.fromEntries(objects.map(({ kind, action }) => [kind, action]))

  it('is new, is waited for, and a second deploy changes nothing', async () => {
    const first = await bed.deploy('twice', { replicas: 2 })
    assert.equal(first.end.kind, 'Ready')
    assert.ok(first.plan.objects.every(({ action }) => action === 'New'))
    assert.deepEqual(first.plan.replicas, { from: null, to: 2, by: 'Spec' })
    assert.equal(first.plan.pods, null)
    assert.equal(first.plan.placement?.kind, 'Surge')
    const before = await bed.readVersions('twice')
    assert.ok(Object.keys(before).length >= 7)
    const second = await bed.deploy('twice', { replicas: 2 })
    assert.ok(second.plan.objects.every(({ action }) => action === 'Same'))
    assert.deepEqual(second.prepared.writes, [])
    assert.equal(second.end.kind, 'Ready')
    assert.deepEqual(await bed.readVersions('twice'), before)
  })

  it('keeps the number that somebody scaled it to, until the spec has another one', async () => {
    await bed.deploy('scaled', { replicas: 1 })
    await bed.cluster.kubectl(['scale', 'deployment', 'scaled', '-n', namespace, '--replicas=3'])
    const kept = await bed.deploy('scaled', { replicas: 1, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(kept.plan.replicas, { from: 3, to: 3, by: 'Kept' })
    assert.equal((await bed.readDeployment('scaled')).spec?.replicas, 3)
    const set = await bed.deploy('scaled', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(set.plan.replicas, { from: 3, to: 2, by: 'Spec' })
    assert.equal(set.plan.pods, null)
    assert.equal((await bed.readDeployment('scaled')).spec?.replicas, 2)
  })

  it('goes from a fixed number to an autoscaler and back without falling to one replica', async () => {
    const autoscaling = { minReplicas: 2, maxReplicas: 6, targets: { cpuPercent: 70 } }
    await bed.deploy('handed', { replicas: 4 })
    const scaled = await bed.deploy('handed', { autoscaling })
    assert.deepEqual(scaled.plan.replicas, { from: 4, to: 4, by: 'Kept' })
    assert.equal(actionsOf(scaled.plan)['HorizontalPodAutoscaler'], 'New')
    assert.match(scaled.plan.warnings.join(), /serves no metrics\.k8s\.io/)
    assert.equal((await bed.readDeployment('handed')).spec?.replicas, 4)
    const fixed = await bed.deploy('handed', { replicas: 3 })
    assert.equal(actionsOf(fixed.plan)['HorizontalPodAutoscaler'], 'Removed')
    assert.equal((await bed.readDeployment('handed')).spec?.replicas, 3)
    assert.equal(await bed.client.get(resources.horizontalPodAutoscalers, 'handed'), undefined)
    // Never one in between: the Deployment would have made a note of it.
    const { out } = await bed.cluster.kubectl([
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
      const { rendered } = bed.targetOf(name, spec)
      await bed.cluster.kubectl(['apply', ...flags, '-f', '-'], writeManifests(rendered.objects))
      const { plan, end } = await bed.deploy(name, spec)
      assert.equal(end.kind, 'Ready', name)
      assert.ok(
        plan.objects.every(({ action }) => action === 'Same'),
        name,
      )
      const { metadata, spec: now } = await bed.readDeployment(name)
      assert.deepEqual([metadata?.generation, now?.replicas], [1, 2], name)
      const before = await bed.readVersions(name)
      assert.deepEqual((await bed.deploy(name, spec)).prepared.writes, [])
      assert.deepEqual(await bed.readVersions(name), before)
    }
  })

  it('replaces pods for a change of env, and says which and why', async () => {
    await bed.deploy('changed', { replicas: 2 })
    const { plan, end } = await bed.deploy('changed', { replicas: 2, env: [{ name: 'MODE', value: 'fast' }] })
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
    await bed.deploy('broken', { replicas: 2 })
    const target = bed.targetOf('broken', { replicas: 2, ...crashing })
    const prepared = await prepareDeploy(target)
    const signal = AbortSignal.timeout(60_000)
    const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
    assert.ok(end.kind === 'Failed')
    assert.deepEqual([end.cause.reason, end.back.kind, end.serving], ['Crashed', 'Back', 2])
    const look = await observeService(bed.client, { namespace, name: 'broken', clock: systemClock })
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
    await assert.rejects(rollbackService(bed.client, { namespace, name: 'broken' }), { code: 'TL_ROLLOUT_REFUSED' })
    // A later deploy of something good owns all of it.
    const next = await bed.deploy('broken', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    assert.equal(next.end.kind, 'Ready')
  })

  it('a first revision that fails stays, for there is nothing to go back to', async () => {
    const target = bed.targetOf('first', { replicas: 1, ...crashing })
    const prepared = await prepareDeploy(target)
    const signal = AbortSignal.timeout(60_000)
    const end = await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)
    assert.ok(end.kind === 'Failed')
    assert.deepEqual(end.back, { kind: 'Stays', reason: 'NothingBefore' })
  })

  it('a rollback brings an earlier revision back, and the next deploy takes away what it brought', async () => {
    await bed.deploy('back', { replicas: 1, env: [{ name: 'OLD', value: '1' }] })
    await bed.deploy('back', { replicas: 1, env: [{ name: 'NEW', value: '1' }] })
    const { from, to } = await rollbackService(bed.client, { namespace, name: 'back' })
    assert.deepEqual([from, to], [2, 1])
    const names = async (): Promise<readonly (string | undefined)[]> =>
      ((await bed.readDeployment('back')).spec?.template.spec?.containers[0]?.env ?? [])
        .map(({ name }) => name)
        .filter((name) => ['OLD', 'NEW'].includes(name))
    assert.deepEqual(await names(), ['OLD'])
    await bed.deploy('back', { replicas: 1, env: [{ name: 'NEW', value: '1' }] })
    assert.deepEqual(await names(), ['NEW'])
  })

  it('goes by the room there is: a swap where a surge finds none, and the way it went stays with the next deploy', async () => {
    const gpu = { count: 1 }
    await bed.cluster.applyNodes([
      { name: 'gpu-1', gpus: 2, labels: { 'nvidia.com/gpu.product': 'A10', 'nvidia.com/gpu.count': '2' } },
    ])
    await bed.deploy('gpus', { replicas: 2, gpu })
    const { plan, end } = await bed.deploy('gpus', { replicas: 2, gpu, env: [{ name: 'A', value: '1' }] })
    assert.equal(plan.placement?.kind, 'Swap')
    assert.equal(plan.pods?.manner, 'Swap')
    assert.equal(end.kind, 'Ready')
    const again = await bed.deploy('gpus', { replicas: 2, gpu, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual(again.prepared.writes, [])
    const more = await prepareDeploy(bed.targetOf('gpus', { replicas: 3, gpu, env: [{ name: 'A', value: '1' }] }))
    assert.deepEqual(
      more.plan.refusals.map(({ code }) => code),
      ['TL_DEPLOY_IMPOSSIBLE'],
    )
    const grown = bed.targetOf('gpus', { replicas: 3, gpu, env: [{ name: 'A', value: '1' }] }, { expectNodes: true })
    const hopeful = await prepareDeploy(grown)
    assert.deepEqual([hopeful.plan.refusals, hopeful.plan.placement?.kind], [[], 'Wait'])
    // All at once, where only that is possible.
    const one = await bed.deploy('gpus', { replicas: 2, gpu: { count: 1 }, rollout: { surge: 'Recreate' } })
    assert.deepEqual([one.plan.pods?.manner, one.end.kind], ['Recreate', 'Ready'])
  })

  it('the example with five replicas goes to the GPUs that have the memory, by the command itself', async (t) => {
    const taints = [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }]
    for (const node of [gpuNode('l4-a', 'l4', 4), gpuNode('l4-b', 'l4', 4), gpuNode('t4', 't4', 8)])
      await bed.client.apply(resources.nodes, { ...nodeObject(node), spec: { taints } } as KubeObject, {
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
        start([...args, '--env', 'gpu', '-n', namespace], { cwd: folder, env: { KUBECONFIG: bed.cluster.kubeconfig } }),
      )
    const { code, out, err } = await run('deploy')
    assert.equal(code, 0, err)
    assert.match(out, /placement +there is room for 8, 5 wanted/)
    assert.match(out, /ready +5 replicas serve revision [0-9a-f]{10} after /)
    const { items } = await bed.client.list<Pod>(resources.pods, {
      labelSelector: 'towline.dev/service=image-classifier',
    })
    assert.deepEqual(new Set(items.map(({ spec }) => spec?.nodeName)), new Set(['l4-a', 'l4-b']))
    const changed = await run('plan', '--json')
    assert.equal((JSON.parse(changed.out) as DeployPlan).objects.filter(({ action }) => action !== 'Same').length, 0)
  })

  it('a quota without room for one more pod is known before anything is written', async () => {
    await bed.cluster.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight' } },
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'few', namespace: 'tight' },
        spec: { hard: { pods: '2' } },
      },
    ])
    const service = resolveClusterService({
      ...sealedDocument({ replicas: 3, resources: { cpu: '100m', memory: '64Mi' } }),
      metadata: { name: 'cats' },
    })
    const { plan } = await prepareDeploy({
      client: bed.client,
      service,
      rendered: renderObjects(service, { namespace: 'tight' }),
    })
    assert.deepEqual(
      plan.refusals.map(({ code }) => code),
      ['TL_DEPLOY_IMPOSSIBLE'],
    )
    assert.match(plan.refusals[0]?.detail ?? '', /few/)
  })
})

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { rollbackService } from '../../src/cluster/orders/rollback-service.ts'
import { prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'
import { type DeployBed, crashing, deployNamespace as namespace, openDeployBed } from '../kit/cluster/deploy-bed.ts'
import { openOnce } from '../kit/open-once.ts'

/** Deploys where others have, or had, a hand in it, and where a person may not do everything. */

const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }

describe('a service deployed where others are at work', () => {
  let bed: DeployBed
  const it = openOnce(120_000, async (scope) => {
    const opened = await openDeployBed(scope)
    if (opened !== undefined) bed = opened
  })

  it('refuses what is not its own, and takes it over when told to', async () => {
    await bed.cluster.apply([
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
    const { plan } = await prepareDeploy(bed.targetOf('taken', {}))
    assert.deepEqual(
      plan.refusals.map(({ code, detail }) => [code, /^\w+ taken exists .*: (Helm|\w+) manages it$/.test(detail)]),
      [
        ['TL_CLUSTER_CONFLICT', true],
        ['TL_CLUSTER_CONFLICT', true],
      ],
    )
    assert.equal(await bed.client.get(resources.deployments, 'taken'), undefined)
    const { end } = await bed.deploy('taken', {}, { adopt: true })
    assert.equal(end.kind, 'Ready')
  })

  it('a namespace that is not there is told with the way to make it', async () => {
    const service = resolveClusterService(sealedDocument())
    const { plan } = await prepareDeploy({
      client: bed.client,
      service,
      rendered: renderObjects(service, { namespace: 'nowhere' }),
    })
    assert.equal(plan.refusals.length, 1)
    assert.match(plan.refusals[0]?.hint ?? '', /kubectl create namespace nowhere/)
  })

  it('whoever may not write is told every lack of rights at once, and nothing is written', async (t) => {
    const reader = await bed.openAs(t, 'reader', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch'] },
    ])
    const { plan } = await prepareDeploy(bed.targetOf('forbidden', {}, { client: reader }))
    assert.ok(plan.refusals.every(({ code }) => code === 'TL_CLUSTER_FORBIDDEN'))
    const text = plan.refusals.map(({ detail }) => detail).join('\n')
    for (const plural of ['serviceaccounts', 'services', 'deployments', 'networkpolicies'])
      assert.match(text, new RegExp(plural))
    assert.doesNotMatch(text, /configmaps/)
    assert.deepEqual(await bed.readVersions('forbidden'), {})
  })

  it('sees what somebody else changed, says who, and sets it right', async () => {
    await bed.deploy('drifted', {})
    await bed.cluster.kubectl(['set', 'resources', 'deployment/drifted', '-n', namespace, '--requests=cpu=200m'])
    const { plan, end } = await bed.deploy('drifted', {})
    const fields = plan.objects.find(({ kind }) => kind === 'Deployment')?.fields ?? []
    assert.deepEqual(
      fields.map(({ path, from, to, setBy }) => [path, from, to, setBy]),
      [['spec.template.spec.containers[server].resources.requests.cpu', '200m', '100m', ['kubectl-set']]],
    )
    assert.equal(end.kind, 'Ready')
  })

  it('two at once: one of them wins and the other is told', async () => {
    await bed.deploy('race', { replicas: 2 })
    const one = bed.deploy('race', { replicas: 2, env: [{ name: 'A', value: '1' }] })
    const two = bed.deploy('race', { replicas: 2, env: [{ name: 'B', value: '1' }] })
    const ends = await Promise.allSettled([one, two])
    const failures = ends.filter(({ status }) => status === 'rejected')
    assert.equal(failures.length, 1, JSON.stringify(ends.map(({ status }) => status)))
    assert.equal(
      (failures[0] as PromiseRejectedResult & { reason: { code: string } }).reason.code,
      'TL_CLUSTER_CONFLICT',
    )
  })

  it('a paused one is written and not waited for', async () => {
    await bed.deploy('paused', { replicas: 1 })
    const { plan, end } = await bed.deploy('paused', { replicas: 1, paused: true, env: [{ name: 'A', value: '1' }] })
    assert.deepEqual([plan.pods?.isPaused, end.kind], [true, 'Paused'])
    const go = await bed.deploy('paused', { replicas: 1, env: [{ name: 'A', value: '1' }] })
    assert.equal(go.end.kind, 'Ready')
  })

  it('a pause by hand is shown with who it was, and ends', async () => {
    await bed.deploy('held', { replicas: 1 })
    await bed.cluster.kubectl(['rollout', 'pause', 'deployment/held', '-n', namespace])
    const spec = { replicas: 1, env: [{ name: 'A', value: '1' }] }
    const { plan, end } = await bed.deploy('held', spec)
    const pause = plan.objects.flatMap(({ fields }) => fields).find(({ path }) => path === 'spec.paused')
    assert.deepEqual([pause?.from, pause?.setBy, end.kind], [true, ['kubectl-rollout'], 'Ready'])
    const again = await bed.deploy('held', spec)
    assert.deepEqual(
      again.plan.objects.filter(({ action }) => action !== 'Same'),
      [],
    )
    await bed.deploy('held', spec)
    const before = await bed.readVersions('held')
    await bed.deploy('held', spec)
    assert.deepEqual(await bed.readVersions('held'), before)
  })

  it('what others added to pods stays, and the plan names it', async () => {
    await bed.deploy('mixed', {})
    const containers = [
      { name: 'side', image: 'registry.example/side:1' },
      { name: 'server', env: [{ name: 'DEBUG', value: '1' }] },
    ]
    const patch = JSON.stringify({ spec: { template: { spec: { containers } } } })
    await bed.cluster.kubectl(['patch', 'deployment', 'mixed', '-n', namespace, '-p', patch])
    const { plan } = await bed.deploy('mixed', {})
    assert.deepEqual(
      plan.warnings.filter((warning) => warning.includes('somebody else added')),
      [
        'pods keep what somebody else added to the Deployment: containers[side] (kubectl-patch), env[DEBUG] (kubectl-patch); take it out with `kubectl edit`',
      ],
    )
  })

  it('what is being taken away is waited for, not written to', async () => {
    await bed.deploy('leaving', {})
    const finalizers = (list: readonly string[]): readonly string[] => [
      'patch',
      'deployment',
      'leaving',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: { finalizers: list } }),
    ]
    await bed.cluster.kubectl(finalizers(['towline.test/held']))
    await bed.cluster.kubectl(['delete', 'deployment', 'leaving', '-n', namespace, '--wait=false'])
    const { plan } = await prepareDeploy(bed.targetOf('leaving', {}))
    await bed.cluster.kubectl(finalizers([]))
    assert.deepEqual(
      plan.refusals.map(({ code }) => code),
      ['TL_CLUSTER_CONFLICT'],
    )
    assert.match(plan.refusals[0]?.detail ?? '', /^Deployment leaving is being taken away since 20/)
  })

  it('what was taken away between plan and write is not made again in part', async () => {
    await bed.deploy('gone', {})
    const target = bed.targetOf('gone', { env: [{ name: 'A', value: '1' }] })
    const prepared = await prepareDeploy(target)
    await bed.cluster.kubectl(['delete', 'deployment,service,serviceaccount', 'gone', '-n', namespace])
    const options = { ...target, clock: systemClock, signal: AbortSignal.timeout(30_000), wait: true }
    await assert.rejects(deployService(options, prepared), { code: 'TL_CLUSTER_CONFLICT' })
    assert.equal(await bed.client.get(resources.deployments, 'gone'), undefined)
  })

  it('a Service that sends elsewhere is warned of, and a selector that cannot change told with the way out', async () => {
    const labels = { 'app.kubernetes.io/managed-by': 'towline', 'towline.dev/service': 'moved' }
    const pods = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    await bed.cluster.apply([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'moved', namespace, labels },
        spec: { selector: { app: 'x' }, ports: [{ name: 'http', port: 80 }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'moved', namespace, labels },
        spec: { selector: { matchLabels: { app: 'x' } }, template: pods },
      },
    ])
    const { plan } = await prepareDeploy(bed.targetOf('moved', {}))
    assert.match(plan.warnings.join(), /Service moved sends to other pods from the first write on/)
    assert.equal(plan.refusals.length, 1)
    assert.match(plan.refusals[0]?.detail ?? '', /immutable/)
    assert.match(plan.refusals[0]?.hint ?? '', /another name, or take Deployment moved away first/)
  })

  it('who may not see pods is told before anything is written, or deploys without looking', async (t) => {
    const { resources: _, ...all } = everything
    const blind = await bed.openAs(t, 'blind', [
      { ...all, resources: ['deployments', 'replicasets', 'services', 'configmaps', 'serviceaccounts', 'namespaces'] },
      { ...all, resources: ['networkpolicies', 'nodes', 'resourcequotas', 'horizontalpodautoscalers'] },
      { ...all, resources: ['poddisruptionbudgets', 'runtimeclasses'] },
    ])
    const { plan } = await prepareDeploy(bed.targetOf('unwatched', {}, { client: blind }))
    assert.match(plan.refusals.map(({ detail }) => detail).join(), /^you may not list pods in namespace ml/)
    const target = bed.targetOf('unwatched', {}, { client: blind, wait: false })
    const prepared = await prepareDeploy(target)
    assert.deepEqual(prepared.plan.refusals, [])
    const options = { ...target, clock: systemClock, signal: AbortSignal.timeout(30_000), wait: false }
    assert.equal((await deployService(options, prepared)).kind, 'Written')
  })

  it('who may not mark revisions is warned, and the way back is taken all the same', async (t) => {
    const { resources: _, ...all } = everything
    const marker = await bed.openAs(t, 'no-marks', [
      { ...all, apiGroups: ['', 'autoscaling', 'policy', 'networking.k8s.io', 'node.k8s.io'], resources: ['*'] },
      { ...all, apiGroups: ['discovery.k8s.io', 'events.k8s.io'], resources: ['*'] },
      { ...all, apiGroups: ['apps'], resources: ['deployments'] },
      { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch'] },
    ])
    await bed.deploy('unmarked', { replicas: 1 })
    const { plan, end } = await bed.deploy('unmarked', { replicas: 1, ...crashing }, { client: marker })
    assert.match(plan.warnings.join(), /may not patch replicasets/)
    assert.ok(end.kind === 'Failed')
    assert.deepEqual([end.cause.reason, end.back.kind], ['Crashed', 'Back'])
    assert.match(end.unmarked ?? '', /cannot patch resource "replicasets"/)
    await bed.deploy('unmarked', { replicas: 1, env: [{ name: 'A', value: '1' }] })
    const back = await rollbackService(marker, { namespace, name: 'unmarked' })
    assert.equal(back.nothing, null)
    assert.match(back.unmarked ?? '', /replicasets/)
  })
})

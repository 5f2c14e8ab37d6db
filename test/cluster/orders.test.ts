import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { systemClock } from '../../src/base/clock.ts'
import { deployService } from '../../src/cluster/deploy/deploy-service.ts'
import { managers } from '../../src/cluster/concerns.ts'
import { prepareDeploy } from '../../src/cluster/plan/prepare-deploy.ts'
import type { ServiceStatus } from '../../src/control/api.ts'
import { createClusterControl } from '../../src/control/cluster/cluster-control.ts'
import type { ServiceControl } from '../../src/control/service-control.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import { openKubeClient } from '../../src/kube/open-kube-client.ts'
import { resources } from '../../src/kube/resources.ts'
import { renderObjects } from '../../src/render/rendered-service.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'
import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import { openOnce } from '../kit/open-once.ts'
import { sealedDocument } from '../kit/cluster-service-sample.ts'
import { type Cluster, openCluster } from '../kit/cluster/open-cluster.ts'

/** What a person tells a service on a real control plane; its nodes and pods are played by KWOK. */

type Spec = Partial<ModelServiceDocument['spec']>

const namespace = 'ml'
const small = { cpu: '100m', memory: '64Mi' }

describe('orders on a cluster', () => {
  let cluster: Cluster
  let client: KubeClient
  let control: ServiceControl

  const it = openOnce(90_000, async (scope) => {
    const opened = await openCluster(scope)
    if (opened === undefined) return
    cluster = opened
    await cluster.applyNodes([{ name: 'node-a' }, { name: 'node-b' }])
    await cluster.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
    client = await openKubeClient({ kubeconfig: cluster.kubeconfig, namespace })
    control = createClusterControl(client, systemClock)
    scope.after(() => control.close())
  })

  const deploy = async (name: string, spec: Spec = {}): Promise<string> => {
    const service = resolveClusterService({ ...sealedDocument({ resources: small, ...spec }), metadata: { name } })
    const target = { client, service, rendered: renderObjects(service, { namespace }) }
    const prepared = await prepareDeploy(target)
    assert.deepEqual(prepared.plan.refusals, [])
    const signal = AbortSignal.timeout(60_000)
    return (await deployService({ ...target, clock: systemClock, signal, wait: true }, prepared)).kind
  }

  /** The first look at which this is so. */
  const until = async (name: string, what: (status: ServiceStatus) => boolean): Promise<ServiceStatus> => {
    for await (const status of control.watch(name, AbortSignal.timeout(30_000))) if (what(status)) return status
    throw new Error(`${name} is gone`)
  }

  const envOf = async (name: string): Promise<readonly (string | undefined)[]> =>
    ((await client.get<Deployment>(resources.deployments, name))?.spec?.template.spec?.containers[0]?.env ?? [])
      .map((each) => each.name)
      .filter((each) => each === 'ONE' || each === 'TWO')

  const strategyOf = async (name: string): Promise<unknown> =>
    (await client.get<Deployment>(resources.deployments, name))?.spec?.strategy?.rollingUpdate

  const one: Spec = { replicas: 2, env: [{ name: 'ONE', value: '1' }] }
  const two: Spec = { replicas: 2, env: [{ name: 'TWO', value: '1' }] }

  it('scales, waits for it, and nothing takes it back', async () => {
    await deploy('scaled', one)
    await control.scale('scaled', 3)
    const ready = await until('scaled', ({ phase, replicas }) => phase === 'Ready' && replicas.ready === 3)
    assert.equal(ready.replicas.desired, 3)
    await deploy('scaled', one)
    assert.equal((await until('scaled', ({ phase }) => phase === 'Ready')).replicas.desired, 3)
    await control.scale('scaled', 0)
    assert.equal((await until('scaled', ({ phase }) => phase === 'Idle')).instances.length, 0)
  })

  it('an autoscaler keeps its bounds', async () => {
    await deploy('auto', { autoscaling: { minReplicas: 2, maxReplicas: 4, targets: { cpuPercent: 70 } } })
    await assert.rejects(control.scale('auto', 7), { code: 'TL_REQUEST_INVALID', message: /between 2 and 4, not 7/ })
    await control.scale('auto', 3)
    await until('auto', ({ phase, replicas }) => phase === 'Ready' && replicas.ready === 3)
  })

  it('restarts every pod once, and a deploy afterwards restarts none', async () => {
    await deploy('again', one)
    const before = await until('again', ({ phase }) => phase === 'Ready')
    const { nothing, status } = await control.order('again', { verb: 'Restart' })
    assert.deepEqual([nothing, status.rollout?.to], [null, 2])
    const after = await until('again', ({ rollout }) => rollout === null)
    assert.equal(after.phase, 'Ready')
    const names = before.instances.map(({ name }) => name)
    assert.ok(after.instances.filter(({ phase }) => phase === 'Ready').every(({ name }) => !names.includes(name)))
    const { metadata } = (await client.get<Deployment>(resources.deployments, 'again')) ?? {}
    await deploy('again', one)
    const now = await client.get<Deployment>(resources.deployments, 'again')
    assert.equal(now?.metadata?.generation, metadata?.generation)
    const owner = now?.metadata?.managedFields?.find(({ manager }) => manager === managers.restart)
    assert.ok(owner !== undefined)
  })

  it('where every device is held, a restart and a rollback make room first', async () => {
    await cluster.applyNodes([{ name: 'node-gpu', gpus: 2 }])
    await deploy('held', { ...one, gpu: { count: 1 } })
    const first = await until('held', ({ phase }) => phase === 'Ready')
    assert.deepEqual(await strategyOf('held'), { maxSurge: 1, maxUnavailable: 0 })
    await control.order('held', { verb: 'Restart' })
    const second = await until('held', ({ rollout, replicas }) => rollout === null && replicas.ready === 2)
    assert.deepEqual(await strategyOf('held'), { maxSurge: 0, maxUnavailable: 1 })
    const old = first.instances.map(({ name }) => name)
    assert.ok(second.instances.filter(({ phase }) => phase === 'Ready').every(({ name }) => !old.includes(name)))

    await cluster.applyNodes([{ name: 'node-more', gpus: 1 }])
    await deploy('held', { ...two, gpu: { count: 1 } })
    assert.deepEqual(await strategyOf('held'), { maxSurge: 1, maxUnavailable: 0 })
    await cluster.kubectl(['cordon', 'node-more'])
    await control.order('held', { verb: 'Rollback', from: null, to: null })
    await until('held', ({ rollout, replicas }) => rollout === null && replicas.ready === 2)
    assert.deepEqual([await envOf('held'), await strategyOf('held')], [['ONE'], { maxSurge: 0, maxUnavailable: 1 }])
  })

  it('goes back, forward by number, and says what it keeps', async () => {
    await deploy('back', one)
    await deploy('back', two)
    const back = await control.order('back', { verb: 'Rollback', from: null, to: null })
    assert.equal(back.nothing, null)
    const done = await until('back', ({ rollout }) => rollout === null)
    assert.deepEqual([done.revision, await envOf('back')], [3, ['ONE']])
    const { revisions, rollouts } = await control.history('back')
    assert.deepEqual(
      revisions.map(({ number, role }) => [number, role]),
      [
        [2, 'Rejected'],
        [3, 'Stable'],
      ],
    )
    assert.deepEqual(
      rollouts.map(({ from, to, outcome }) => [from, to, outcome]),
      [[2, 3, 'Promoted']],
    )
    await control.order('back', { verb: 'Rollback', from: null, to: 2 })
    await until('back', ({ rollout }) => rollout === null)
    assert.deepEqual(await envOf('back'), ['TWO'])
    await assert.rejects(control.order('back', { verb: 'Rollback', from: null, to: 9 }), {
      code: 'TL_ROLLOUT_REFUSED',
      message: /no revision 9/,
      hint: /it keeps 3 \(given up\), 4/,
    })
    const same = await control.order('back', { verb: 'Rollback', from: null, to: 4 })
    assert.match(same.nothing ?? '', /revision 4 serves already/)
  })

  it('a change that hangs waits for a person, serves on, and an abort takes it back', async () => {
    await deploy('hung', one)
    const crashing = { ...one, pod: { patch: { metadata: { annotations: { 'towline.test/crash': 'true' } } } } }
    const service = resolveClusterService({
      ...sealedDocument({ resources: small, ...crashing }),
      metadata: { name: 'hung' },
    })
    const target = { client, service, rendered: renderObjects(service, { namespace }) }
    const options = { ...target, clock: systemClock, signal: AbortSignal.timeout(60_000), wait: false }
    assert.equal((await deployService(options, await prepareDeploy(target))).kind, 'Written')
    const hung = await until('hung', ({ rollout }) => rollout?.phase === 'Paused')
    assert.deepEqual([hung.rollout?.pause?.reason, hung.replicas.ready, hung.phase], ['Failed', 2, 'Degraded'])
    await control.order('hung', { verb: 'Abort', plan: null })
    const calm = await until('hung', ({ rollout, phase }) => rollout === null && phase === 'Ready')
    assert.deepEqual([calm.revision, calm.replicas.ready], [3, 2])
  })

  it('what needs steps is refused, with what to do instead', async () => {
    await deploy('plain', one)
    for (const verb of ['Pause', 'Resume'] as const)
      await assert.rejects(control.order('plain', { verb, plan: null }), { code: 'TL_ROLLOUT_REFUSED', hint: /paused/ })
    await assert.rejects(control.order('plain', { verb: 'Retry' }), { code: 'TL_ROLLOUT_REFUSED', hint: /deploy/ })
    await assert.rejects(control.order('nobody', { verb: 'Restart' }), {
      code: 'TL_SERVICE_UNKNOWN',
      message: /`nobody` \(in namespace ml there are: .*plain/,
    })
  })

  it('tells what happened to a service and not to another with a longer name', async () => {
    await deploy('told', one)
    await deploy('told-too', one)
    const events = await control.events('told', 100)
    assert.ok(events.some(({ reason }) => reason === 'ScalingReplicaSet'))
    assert.ok(events.every(({ message, replica }) => !`${message} ${replica}`.includes('told-too')))
  })

  it('leaves nothing behind, and says that nothing is there the second time', async () => {
    await deploy('gone', { ...two, autoscaling: { minReplicas: 2, maxReplicas: 4, targets: { cpuPercent: 70 } } })
    await deploy('stays', one)
    await control.remove('gone')
    const kinds = `${['serviceaccounts', 'configmaps', 'networkpolicies', 'services', 'deployments'].join(',')},poddisruptionbudgets,horizontalpodautoscalers,pods`
    const left = await cluster.kubectl(['get', kinds, '-n', namespace, '-l', 'towline.dev/service=gone', '-o', 'name'])
    assert.equal(left.out, '')
    await assert.rejects(control.remove('gone'), { code: 'TL_SERVICE_UNKNOWN' })
    assert.equal((await until('stays', ({ phase }) => phase === 'Ready')).replicas.ready, 2)
  })
})

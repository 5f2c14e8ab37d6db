import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import { type ConformanceCase, assertStatus, causesOf } from './case.ts'
import { type Probe, type Reply, valueAt } from './probe.ts'
import { configMap, pod } from './samples.ts'

const { configMaps, podDisruptionBudgets, pods, services } = resources
const finalizer = 'conformance.towline.dev/hold'
const isGone = ({ status }: Reply): boolean => status === 404

async function createOwned({ create }: Probe, finalizers?: readonly string[]): Promise<void> {
  const owner = await create(configMaps, configMap('owner', {}))
  const uid = valueAt(owner.body, 'metadata.uid')
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true }]
  await create(configMaps, { metadata: { name: 'owned', ownerReferences, finalizers } })
}

async function makeRunning({ merge }: Probe, name: string, ready = 'True'): Promise<void> {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] }
  await merge(pods, name, { status }, { subresource: 'status' })
}

function evict({ call, path }: Probe, name: string): Promise<Reply> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }
  return call('POST', path(pods, name, 'eviction'), { body })
}

/** How objects end: finalizers, owners, grace, evictions; and what is served below a pod or a Service. */
export const endingCases: readonly ConformanceCase[] = [
  {
    name: 'an object with a finalizer waits for it',
    async run({ create, remove, merge, get }) {
      await create(configMaps, { metadata: { name: 'a', finalizers: [finalizer] } })
      const ending = await remove(configMaps, 'a')
      assert.equal(ending.body['kind'], 'ConfigMap')
      assert.match(String(valueAt(ending.body, 'metadata.deletionTimestamp')), /^\d{4}-/)
      assert.equal(valueAt(ending.body, 'metadata.deletionGracePeriodSeconds'), 0)
      assertStatus(
        await create(configMaps, configMap('a', {})),
        409,
        'AlreadyExists',
        /^object is being deleted: configmaps "a" already exists$/,
      )
      assert.deepEqual((await remove(configMaps, 'a')).body, ending.body)
      const freed = await merge(configMaps, 'a', { metadata: { finalizers: null } })
      assert.equal(freed.status, 200)
      assert.equal((await get(configMaps, 'a')).status, 404)
    },
  },
  {
    name: 'what an object owns goes with it',
    async run(probe) {
      await createOwned(probe)
      assert.equal((await probe.remove(configMaps, 'owner')).body['kind'], 'Status')
      await probe.until(() => probe.get(configMaps, 'owned'), isGone)
    },
  },
  {
    name: 'orphans stay, and forget their owner',
    async run(probe) {
      await createOwned(probe)
      await probe.remove(configMaps, 'owner', { query: { propagationPolicy: 'Orphan' } })
      await probe.until(() => probe.get(configMaps, 'owner'), isGone)
      const orphan = await probe.get(configMaps, 'owned')
      assert.deepEqual([orphan.status, valueAt(orphan.body, 'metadata.ownerReferences')], [200, undefined])
    },
  },
  {
    name: 'in the foreground the owner waits for what it owns',
    async run(probe) {
      const { remove, until, get, merge } = probe
      await createOwned(probe, [finalizer])
      const ending = await remove(configMaps, 'owner', { query: { propagationPolicy: 'Foreground' } })
      assert.deepEqual(valueAt(ending.body, 'metadata.finalizers'), ['foregroundDeletion'])
      await until(
        () => get(configMaps, 'owned'),
        ({ body }) => valueAt(body, 'metadata.deletionTimestamp') !== undefined,
      )
      assert.equal((await get(configMaps, 'owner')).status, 200)
      await merge(configMaps, 'owned', { metadata: { finalizers: null } })
      await until(() => get(configMaps, 'owner'), isGone)
    },
  },
  {
    name: 'a pod on a node ends when its node says so, one without at once',
    async run({ create, remove, get }) {
      await create(pods, pod('a', { nodeName: 'nowhere' }))
      const ending = await remove(pods, 'a')
      assert.deepEqual([ending.body['kind'], valueAt(ending.body, 'metadata.deletionGracePeriodSeconds')], ['Pod', 30])
      const left = await get(pods, 'a')
      assert.equal(valueAt(left.body, 'metadata.deletionTimestamp'), valueAt(ending.body, 'metadata.deletionTimestamp'))
      assert.equal((await remove(pods, 'a', { query: { gracePeriodSeconds: '0' } })).status, 200)
      assert.equal((await get(pods, 'a')).status, 404)
      await create(pods, pod('b'))
      assert.equal((await remove(pods, 'b')).body['kind'], 'Pod')
      assert.equal((await get(pods, 'b')).status, 404)
    },
  },
  {
    name: 'a pod without a budget is evicted, one that is not there is not',
    async run(probe) {
      await probe.create(pods, pod('a'))
      const evicted = await evict(probe, 'a')
      assert.deepEqual([evicted.status, evicted.body['status']], [201, 'Success'])
      assert.equal((await probe.get(pods, 'a')).status, 404)
      assertStatus(await evict(probe, 'a'), 404, 'NotFound', 'pods "a" not found')
    },
  },
  {
    name: 'a budget keeps a pod, but not one that does not run',
    async run(probe) {
      const { create, until, get, merge } = probe
      await create(pods, pod('a', { nodeName: 'nowhere' }))
      await create(pods, pod('b'))
      await makeRunning(probe, 'a')
      await create(podDisruptionBudgets, {
        metadata: { name: 'keep' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
      })
      const status = {
        observedGeneration: 1,
        disruptionsAllowed: 0,
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 2,
      }
      // What a controller says as well, where there is one.
      await merge(podDisruptionBudgets, 'keep', { status }, { subresource: 'status' })
      await until(
        () => get(podDisruptionBudgets, 'keep'),
        ({ body }) => valueAt(body, 'status.currentHealthy') === 1,
      )
      const kept = await evict(probe, 'a')
      assertStatus(kept, 429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.")
      assert.deepEqual(causesOf(kept), ['DisruptionBudget'])
      assert.equal(
        valueAt(kept.body, 'details.causes.0.message'),
        'The disruption budget keep needs 1 healthy pods and has 1 currently',
      )
      assert.equal((await get(pods, 'a')).status, 200)
      assert.equal((await evict(probe, 'b')).status, 201)
      // One that runs and is not ready is no loss while the others are enough.
      await create(pods, pod('c', { nodeName: 'nowhere' }))
      await makeRunning(probe, 'c', 'False')
      assert.equal((await evict(probe, 'c')).status, 201)
    },
  },
  {
    name: 'logs and proxies say what is missing',
    async run({ create, call, path, until }) {
      assertStatus(await call('GET', path(pods, 'zz', 'log')), 404, 'NotFound', 'pods "zz" not found')
      const two = [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'x' },
      ]
      await create(pods, pod('p', { containers: two }))
      assertStatus(
        await call('GET', path(pods, 'p', 'log')),
        400,
        'BadRequest',
        'a container name must be specified for pod p, choose one of: [a b]',
      )
      assertStatus(
        await call('GET', path(pods, 'p', 'log'), { query: { container: 'c' } }),
        400,
        'BadRequest',
        'container c is not valid for pod p',
      )
      assertStatus(
        await call('GET', `${path(services, 'zz:80', 'proxy')}/x`),
        404,
        'NotFound',
        'services "zz" not found',
      )
      await create(services, { metadata: { name: 's' }, spec: { selector: { app: 'none' }, ports: [{ port: 80 }] } })
      const empty = await until(
        () => call('GET', `${path(services, 's:80', 'proxy')}/x`),
        ({ status }) => status === 503,
      )
      assertStatus(empty, 503, 'ServiceUnavailable', 'no endpoints available for service "s"')
    },
  },
]

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openFakeApiServer } from '../../test/kit/fake-api-server/fake-api-server.ts'
import { KubeFailure } from './http/failure.ts'
import type { KubeClient } from './kube-client.ts'
import { openKubeClient } from './open-kube-client.ts'
import { resources } from './resources.ts'

type Options = Parameters<typeof openFakeApiServer>[1]

async function openPair(t: TestContext, options: Options = {}) {
  const server = await openFakeApiServer(t, options)
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} })
  t.after(() => client.close())
  return { server, client }
}

const settings = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cats' },
  data,
})
const applyAs = (client: KubeClient, manager: string, data: Record<string, string>, force = true) =>
  client.apply(resources.configMaps, settings(data), { fieldManager: manager, force })

test('what is applied again unchanged is not written again; a field of another manager is not taken without force', async (t) => {
  const { client } = await openPair(t)
  const first = await applyAs(client, 'towline', { a: '1' })
  const second = await applyAs(client, 'towline', { a: '1' })
  assert.equal(second.metadata?.resourceVersion, first.metadata?.resourceVersion)
  await assert.rejects(applyAs(client, 'other', { a: '2' }, false), { code: 'TL_CLUSTER_CONFLICT' })
})

test('what is not there is undefined, and nothing to remove', async (t) => {
  const { client } = await openPair(t)
  assert.equal(await client.get(resources.deployments, 'cats'), undefined)
  assert.equal(await client.remove(resources.deployments, 'cats'), false)
  await applyAs(client, 'towline', {})
  assert.equal(await client.remove(resources.configMaps, 'cats'), true)
})

test('a long list comes in pages, each item with its kind', async (t) => {
  const { client, server } = await openPair(t)
  for (let index = 0; index < 1200; index++)
    server.objects.put(resources.configMaps, { ...settings({}), metadata: { name: `c${index}` } })
  const { items } = await client.list(resources.configMaps)
  assert.equal(items.filter(({ kind }) => kind === 'ConfigMap').length, 1200)
  assert.equal(server.requests.filter(({ verb, plural }) => verb === 'list' && plural === 'configmaps').length, 3)
})

test('a page that took too long makes the list begin anew', async (t) => {
  const { client, server } = await openPair(t)
  for (let index = 0; index < 600; index++)
    server.objects.put(resources.configMaps, { ...settings({}), metadata: { name: `c${index}` } })
  server.faults.add({ when: { verb: 'list', path: /continue=/ }, does: { kind: 'Refuse', status: 410 } })
  assert.equal((await client.list(resources.configMaps)).items.length, 600)
})

test('a server that asks for patience gets it', async (t) => {
  const { client, server } = await openPair(t)
  const fault = server.faults.add({
    when: { verb: 'get' },
    times: 2,
    does: { kind: 'Refuse', status: 429, retryAfterSeconds: 0 },
  })
  assert.equal(await client.get(resources.configMaps, 'cats'), undefined)
  assert.equal(fault.hits(), 2)
})

test('refusals keep their status, and say who may not do what', async (t) => {
  const { client, server } = await openPair(t, { user: 'ann' })
  server.forbid(({ verb, plural }) => verb === 'create' && plural === 'deployments')
  assert.equal(await client.may('create', resources.deployments), false)
  assert.equal(await client.may('create', resources.services), true)
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'cats' } }
  await assert.rejects(client.create(resources.deployments, deployment), (error) => {
    assert(error instanceof KubeFailure)
    assert.deepEqual([error.code, error.status], ['TL_CLUSTER_FORBIDDEN', 403])
    assert.match(error.message, /ann/)
    return true
  })
})

test('a token that is not taken, a connection that breaks and a server that is gone each have a name', async (t) => {
  const { client, server } = await openPair(t)
  const once = { verb: 'get' } as const
  server.faults.add({ when: once, times: 2, does: { kind: 'Refuse', status: 401 } })
  await assert.rejects(client.get(resources.pods, 'a'), { code: 'TL_CLUSTER_UNAUTHORIZED' })
  const gone = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} })
  t.after(() => gone.close())
  server.faults.add({ when: once, times: Infinity, does: { kind: 'Reset' } })
  await assert.rejects(gone.get(resources.pods, 'a'), { code: 'TL_CLUSTER_UNREACHABLE' })
})

test('kinds that a server does not have are told apart from those it has', async (t) => {
  const { client } = await openPair(t)
  assert.equal(await client.serves(resources.deployments), true)
  assert.equal(await client.serves(resources.httpRoutes), false)
  assert.equal((await client.version()).major, 1)
})

test('a kind whose own server is away is not served now, and is once it is back', async (t) => {
  const { server, client } = await openPair(t, { kinds: [resources.podMetrics] })
  const when = { path: /^\/apis\/metrics\.k8s\.io/ }
  const fault = server.faults.add({ when, times: Infinity, does: { kind: 'Refuse', status: 503 } })
  assert.equal(await client.serves(resources.podMetrics), false)
  fault.remove()
  assert.equal(await client.serves(resources.podMetrics), true)
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { Agent } from 'undici'
import { resources } from '../../src/kube/resources.ts'
import { type Probe, openProbe, valueAt } from './fake-api-server/conformance/probe.ts'
import { type FakeApiServer, type FakeApiServerOptions, openFakeApiServer } from './fake-api-server/fake-api-server.ts'

const { configMaps, deployments, modelServices, pods, secrets, services } = resources

async function openRig(t: TestContext, options: FakeApiServerOptions = {}): Promise<Probe & { server: FakeApiServer }> {
  const server = await openFakeApiServer(t, options)
  const dispatcher = new Agent()
  t.after(() => dispatcher.destroy())
  const probe = await openProbe({ url: server.url, dispatcher, settleMs: 0, asStranger: async () => {} })
  return { ...probe, server }
}

test('a fault strikes the requests it is meant for, as often as it is planned', async (t) => {
  const { server, list, get } = await openRig(t)
  const does = { kind: 'Refuse', status: 429, retryAfterSeconds: 2 } as const
  const fault = server.faults.add({ when: { verb: 'list', plural: 'pods' }, times: 2, does })
  assert.equal((await list(secrets)).status, 200)
  const refused = await list(pods)
  assert.deepEqual(
    [refused.status, refused.headers['retry-after'], refused.body['reason']],
    [429, '2', 'TooManyRequests'],
  )
  assert.equal(valueAt(refused.body, 'details.retryAfterSeconds'), 2)
  assert.equal((await list(pods)).status, 429)
  assert.deepEqual([(await list(pods)).status, fault.hits()], [200, 2])
  const forever = server.faults.add({ when: { name: 'x' }, times: Infinity, does: { kind: 'Refuse', status: 500 } })
  assert.equal((await get(pods, 'x')).status, 500)
  forever.remove()
  assert.equal((await get(pods, 'x')).status, 404)
})

test('answers are late, cut short, or never come', async (t) => {
  const { server, list, create, get } = await openRig(t)
  server.faults.add({ does: { kind: 'Reset' } })
  await assert.rejects(list(secrets), /socket|other side closed|ECONNRESET/i)
  server.faults.add({ does: { kind: 'Truncate' } })
  await assert.rejects(create(configMaps, { metadata: { name: 'a' } }))
  assert.equal((await get(configMaps, 'a')).status, 200, 'it was done all the same')
  server.faults.add({ does: { kind: 'Slow', delayMs: 30 } })
  const startMs = performance.now()
  await list(secrets)
  assert.ok(performance.now() - startMs >= 29)
  server.faults.add({ when: { plural: 'pods' }, does: { kind: 'Hang' } })
  // Ends with the client.
  const hung = assert.rejects(list(pods))
  t.after(() => hung)
  assert.equal((await list(secrets)).status, 200)
  assert.equal(server.requests.filter(({ plural, status }) => plural === 'pods' && status === undefined).length, 1)
})

test('watches are cut, ended, expired, failed, marked and silenced', async (t) => {
  const { server, watch, create } = await openRig(t)
  const open = async (): ReturnType<typeof watch> => {
    const resourceVersion = String(server.resourceVersion())
    const watched = await watch(secrets, { resourceVersion, allowWatchBookmarks: 'true' })
    assert.equal(server.watches.count('secrets'), 1)
    return watched
  }
  const cut = await open()
  server.watches.cut('secrets')
  await assert.rejects(cut.rest())
  const ended = await open()
  server.watches.end()
  assert.deepEqual(await ended.rest(), [])
  const expired = await open()
  server.watches.expire('secrets')
  assert.deepEqual(
    (await expired.rest()).map(({ object }) => object['code']),
    [410],
  )
  const failed = await open()
  server.watches.fail()
  assert.deepEqual(
    (await failed.rest()).map(({ object }) => object['code']),
    [500],
  )
  const marked = await open()
  server.watches.sendBookmarks('pods')
  server.watches.sendBookmarks('secrets')
  const mark = await marked.next()
  assert.deepEqual(
    [mark?.type, valueAt(mark?.object, 'metadata.resourceVersion')],
    ['BOOKMARK', String(server.resourceVersion())],
  )
  server.watches.silence('secrets')
  await create(secrets, { metadata: { name: 'lost' } })
  server.watches.write('{"type":"ODD","object":{}}\n', 'secrets')
  assert.equal((await marked.next())?.type, 'ODD')
  marked.close()
})

test('whatever goes on from before a compaction is answered 410', async (t) => {
  const { server, create, list, watch } = await openRig(t)
  for (const name of ['a', 'b']) await create(secrets, { metadata: { name } })
  const before = String(server.resourceVersion())
  const page = await list(secrets, { limit: '1' })
  await create(secrets, { metadata: { name: 'c' } })
  server.compact()
  const late = await list(secrets, { continue: String(valueAt(page.body, 'metadata.continue')) })
  assert.deepEqual([late.status, late.body['reason']], [410, 'Expired'])
  assert.equal((await list(secrets, { resourceVersion: before, resourceVersionMatch: 'Exact' })).status, 410)
  const [event] = await (await watch(secrets, { resourceVersion: before })).rest()
  assert.deepEqual([event?.type, event?.object['code']], ['ERROR', 410])
  const current = await watch(secrets, { resourceVersion: String(server.resourceVersion()) })
  server.watches.end()
  assert.deepEqual(await current.rest(), [])
})

test('the test puts objects with their status, and takes them with what they own', async (t) => {
  const { server, watch } = await openRig(t, { namespaces: ['ml'] })
  const spec = {
    selector: { matchLabels: { app: 'd' } },
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
  }
  const metadata = { name: 'd', namespace: 'ml', creationTimestamp: '2026-01-01T00:00:00Z' }
  const object = { metadata, spec, status: { replicas: 1 } }
  const put = server.objects.put(deployments, object, { manager: 'kubectl' })
  assert.deepEqual([put.metadata.creationTimestamp, put['status']], ['2026-01-01T00:00:00Z', { replicas: 1 }])
  assert.deepEqual(
    put.metadata.managedFields?.map(({ manager, subresource }) => [manager, subresource]),
    [
      ['controller', 'status'],
      ['kubectl', undefined],
    ],
  )
  const set = server.objects.setStatus(deployments, 'd', { replicas: 2 }, 'ml')
  assert.deepEqual([set.metadata.generation, set['status']], [1, { replicas: 2 }])
  server.objects.put(deployments, { ...object, spec: { ...spec, replicas: 3 } } as object)
  assert.equal(server.objects.get(deployments, 'd', 'ml')?.metadata.generation, 2)
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: put.metadata.uid }]
  const pod = { metadata: { name: 'p', namespace: 'ml', ownerReferences }, spec: { containers: [] } }
  const container = { containers: [{ name: 'a', image: 'x' }] }
  server.objects.put(pods, { ...pod, spec: container } as object)
  const watched = await watch(pods, { resourceVersion: String(server.resourceVersion()) })
  server.objects.remove(deployments, 'd', 'ml')
  assert.deepEqual(server.objects.list(pods), [])
  watched.close()
})

test('kinds that nobody asked for are not served, others by name or by their definition', async (t) => {
  const bare = await openRig(t)
  assert.equal((await bare.list(modelServices)).status, 404)
  assert.throws(() => bare.server.objects.list(modelServices), /ModelService is not served here/)
  const { server, list, call } = await openRig(t, { kinds: [modelServices] })
  assert.equal((await list(modelServices)).status, 200)
  assert.equal((await call('GET', '/apis/towline.dev/v1alpha1')).status, 200)
  assert.equal(server.objects.put(modelServices, { metadata: { name: 'cats' } }).kind, 'ModelService')
})

test('a token is wanted where there is one, and is in the kubeconfig', async (t) => {
  const { server, list, call, path } = await openRig(t, { token: 's3cret' })
  const refused = await list(pods)
  assert.deepEqual([refused.status, refused.body['reason']], [401, 'Unauthorized'])
  const headers = { authorization: 'Bearer s3cret' }
  assert.notEqual((await call('GET', path(pods), { headers })).status, 401)
  const config: unknown = JSON.parse(readFileSync(server.kubeconfig, 'utf8'))
  assert.equal(valueAt(config, 'users.0.user.token'), 's3cret')
  assert.equal(valueAt(config, 'clusters.0.cluster.server'), server.url)
})

test('logs and proxied answers are those of the test', async (t) => {
  async function* pieces(): AsyncIterable<string> {
    yield 'one\n'
    yield 'two\n'
  }
  const { create, call, path } = await openRig(t, {
    logs: ({ container, query }) => (query.get('follow') === 'true' ? pieces() : `from ${container}\n`),
    proxy: ({ kind, name, port, path, method, body }) => ({
      status: 203,
      headers: { 'x-answer': `${kind} ${name} ${port}` },
      body: `${method} ${path} ${Buffer.from(body).toString()}`,
    }),
  })
  await create(pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'a', image: 'x' }] } })
  assert.equal((await call('GET', path(pods, 'p', 'log'))).body['text'], 'from a\n')
  assert.equal((await call('GET', path(pods, 'p', 'log'), { query: { follow: 'true' } })).body['text'], 'one\ntwo\n')
  await create(services, { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })
  const proxied = await call('POST', `${path(services, 's:http', 'proxy')}/v2/models`, {
    query: { q: '1' },
    body: 'hi',
  })
  assert.deepEqual([proxied.status, proxied.headers['x-answer']], [203, 'services s http'])
  assert.equal(proxied.body['text'], 'POST /v2/models?q=1 hi')
})

test('all requests are remembered, and what a rule forbids until it is lifted', async (t) => {
  const { server, apply, list, namespace } = await openRig(t)
  const allow = server.forbid(({ verb, plural }) => verb === 'create' && plural === 'configmaps')
  const intent = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }
  const refused = await apply(configMaps, intent, 'towline')
  assert.deepEqual([refused.status, refused.body['reason']], [403, 'Forbidden'], 'an apply of what is new is a create')
  allow()
  assert.equal((await apply(configMaps, intent, 'towline')).status, 201)
  server.forbid(({ verb }) => verb === 'list')
  assert.equal((await list(configMaps)).status, 403)
  const seen = server.requests.filter(({ plural }) => plural === 'configmaps')
  assert.deepEqual(
    seen.map(({ verb, name, status, namespace }) => [verb, name, status, namespace]),
    [
      ['patch', 'c', 403, namespace],
      ['patch', 'c', 201, namespace],
      ['list', undefined, 403, namespace],
    ],
  )
  assert.match(seen[1]?.path ?? '', /\/configmaps\/c\?fieldManager=towline$/)
  assert.deepEqual(JSON.parse(seen[1]?.body ?? ''), intent)
})

test('with a namespace goes all that is in it', async (t) => {
  const { server, create, call, namespace } = await openRig(t)
  await create(secrets, { metadata: { name: 'a', finalizers: ['x.example/hold'] } })
  await create(configMaps, { metadata: { name: 'b' } })
  await call('DELETE', `/api/v1/namespaces/${namespace}`)
  assert.deepEqual(server.objects.list(configMaps, namespace), [])
  const refused = await create(configMaps, { metadata: { name: 'c' } })
  assert.deepEqual([refused.status, valueAt(refused.body, 'details.causes.0.reason')], [403, 'NamespaceTerminating'])
  server.objects.remove(secrets, 'a', namespace)
  assert.equal((await call('GET', `/api/v1/namespaces/${namespace}`)).status, 404)
})

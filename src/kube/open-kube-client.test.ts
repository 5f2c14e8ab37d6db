import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFakeApiServer } from '../../test/kit/fake-api-server/fake-api-server.ts'
import { systemClock } from '../base/clock.ts'
import { KubeFailure } from './http/failure.ts'
import type { KubeClient } from './kube-client.ts'
import { openKubeClient } from './open-kube-client.ts'
import { resources } from './resources.ts'

/** Retries at once: what is tested is what they come to. */
const hasty = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), signal),
}

type Options = Parameters<typeof openFakeApiServer>[1]

async function openPair(t: TestContext, options: Options = {}) {
  const server = await openFakeApiServer(t, options)
  const client = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} }, hasty)
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
  const gone = await openKubeClient({ kubeconfig: server.kubeconfig, env: {} }, hasty)
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

test('a kind of the API server itself that is not answered for now is a failure, and not a kind that is missing', async (t) => {
  const { server, client } = await openPair(t)
  const when = { path: /^\/apis\/(gateway|networking)\./ }
  server.faults.add({ when, times: Infinity, does: { kind: 'Refuse', status: 503 } })
  for (const resource of [resources.networkPolicies, resources.httpRoutes])
    await assert.rejects(client.serves(resource), { code: 'TL_CLUSTER_FAILED' })
})

/** Of somebody who signs in by this shell script, in a folder of its own. */
function writeSignIn(t: TestContext, server: string, script: string): { folder: string; kubeconfig: string } {
  const folder = mkdtempSync(join(tmpdir(), 'towline-sign-in-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', `cd ${folder}; ${script}`] }
  const kubeconfig = join(folder, 'config')
  const config = {
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server } }],
    users: [{ name: 'a', user: { exec } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  }
  writeFileSync(kubeconfig, JSON.stringify(config))
  return { folder, kubeconfig }
}

test('a login that hangs ends with the signal of whoever opens the client', async (t) => {
  const { kubeconfig } = writeSignIn(t, 'http://127.0.0.1:1', 'exec sleep 60')
  await assert.rejects(openKubeClient({ kubeconfig, env: {}, signal: AbortSignal.timeout(50) }), {
    name: 'TimeoutError',
  })
})

test('a request does not wait longer than its signal for a login that hangs, which ends when the client is closed', async (t) => {
  const server = await openFakeApiServer(t)
  const token = `echo '{"status":{"token":"old"}}'`
  const { folder, kubeconfig } = writeSignIn(
    t,
    server.url,
    `[ -e one ] || { >one; ${token}; exit; }; echo $$ >two.new; mv two.new two; exec sleep 60`,
  )
  const client = await openKubeClient({ kubeconfig, env: {} }, hasty)
  server.faults.add({ when: { verb: 'get' }, times: Infinity, does: { kind: 'Refuse', status: 401 } })
  const leaving = new AbortController()
  const left = assert.rejects(client.get(resources.pods, 'a', { signal: leaving.signal }), /left/)
  const stays = assert.rejects(client.get(resources.pods, 'b'), { name: 'AbortError' })
  await until('a second login', () => existsSync(join(folder, 'two')))
  leaving.abort(new Error('left'))
  await left
  const pid = Number(readFileSync(join(folder, 'two'), 'utf8'))
  assert.equal(isAlive(pid), true)
  await client.close()
  await stays
  await until('an end of it', () => !isAlive(pid))
})

async function until(what: string, look: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (look()) return
    await sleep(5)
  }
  assert.fail(`there was not ${what}`)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

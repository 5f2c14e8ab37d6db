import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startEngine } from '../../src/control/client.ts'
import { findProcesses } from '../../src/engine/adoption.ts'
import { gatewayNames } from '../../src/engine/gateway-hands.ts'
import { projectPaths } from '../../src/engine/paths.ts'
import { requestJson } from '../../src/net/http-client.ts'
import { startOpenLoad } from '../kit/open-load.ts'
import { type Project, isReady, kill, openProject, requestBody, serviceName, waitFor, waitUntil } from './project.ts'

const ratePerSecond = 80
const inferPath = `/v2/models/${serviceName}/infer`

function findGateways({ dir }: Project) {
  return findProcesses(projectPaths(dir)).filter(({ name }) => gatewayNames.some((known) => known === name))
}

test('a restarted gateway gives its place to another process, twice, and no request is lost', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document())
  await waitFor(client, isReady)
  const load = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond })
  const pids = new Set([(await client.status()).gateway.pid])
  for (let round = 0; round < 2; round++) {
    const { gateway } = await client.restartGateway()
    assert.deepEqual([gateway.phase, gateway.restarts], ['Ready', 0])
    assert.ok(!pids.has(gateway.pid))
    pids.add(gateway.pid)
    await assert.rejects(client.restartGateway(), { code: 'TL_NOT_READY' })
    // Replicas change while the one before still answers on the connections that clients keep.
    await client.order(serviceName, { verb: 'Restart' })
    await waitFor(client, (service) => isReady(service) && service.instances.length === 2)
    await waitUntil('the gateway before is gone', () => findGateways(project).length === 1)
    const answered = load.answered
    await waitUntil('more answers', () => load.answered > answered + 50)
  }
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
  await client.remove(serviceName)
  assert.deepEqual(findProcesses(projectPaths(project.dir)), [])
})

test('requests held for a service at zero are answered although the gateway is restarted meanwhile', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir, { scaleSyncMs: 2000 })
  project.engines.add((await client.status()).pid)
  const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } }
  const autoscaling = { minReplicas: 0, maxReplicas: 1, targets: { concurrency: 4 }, behavior }
  const { url } = await client.apply(serviceName, project.document({ autoscaling }))
  await waitFor(client, ({ phase, instances }) => phase === 'Idle' && instances.length === 0)
  const load = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond: 20 })
  await waitFor(client, ({ traffic }) => (traffic?.waiting ?? 0) > 0)
  await client.restartGateway()
  await waitUntil('answers', () => load.answered > 20)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('an engine that is killed while the gateway is replaced: the next one finds the gateway that serves', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  const { url } = await client.apply(serviceName, project.document())
  await waitFor(client, isReady)
  const load = startOpenLoad(t, `${url}${inferPath}`, requestBody, { ratePerSecond })
  for (const afterMs of [20, 120, 250]) {
    const { pid } = await client.status()
    project.engines.add(pid)
    await waitUntil('one gateway', () => findGateways(project).length === 1)
    const replaced = client.restartGateway().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    kill(pid)
    await replaced
    await startEngine(project.dir)
    await waitFor(client, (service, { gateway }) => isReady(service) && gateway.phase === 'Ready')
    const answered = load.answered
    await waitUntil('more answers', () => load.answered > answered + 50)
  }
  project.engines.add((await client.status()).pid)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('a gateway that is killed while it is replaced: one of the two serves on the same port', async (t) => {
  const project = openProject(t)
  const client = await startEngine(project.dir)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document())
  await waitFor(client, isReady)
  for (const afterMs of [20, 120, 250]) {
    await waitUntil('one gateway', () => findGateways(project).length === 1)
    const old = (await client.status()).gateway.pid
    const replaced = client.restartGateway().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    kill(old)
    await replaced
    await waitFor(
      client,
      (service, { gateway }) => isReady(service) && gateway.phase === 'Ready' && gateway.pid !== old,
    )
    // A connection of its own: one that was kept may be to the process that was killed.
    const answer = await requestJson({ url, method: 'POST', path: inferPath, body: requestBody, timeoutMs: 5000 })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
})

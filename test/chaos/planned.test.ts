import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EngineClient, type NewEngine, startEngine } from '../../src/control/client.ts'
import { findProcesses } from '../../src/engine/adoption.ts'
import { projectPaths } from '../../src/engine/paths.ts'
import { type OpenLoad, startOpenLoad } from '../kit/open-load.ts'
import { type Project, isReady, kill, openProject, requestBody, serviceName, waitFor, waitUntil } from './project.ts'

const inferPath = `/v2/models/${serviceName}/infer`
const slowModel = join(import.meta.dirname, '../models/slow.onnx')
const slowRows = 400
/** Longer than what the gateway keeps: whoever begins with such a request must also finish it. */
const unrepeatableBytes = 1_200_000

interface Running {
  readonly project: Project
  readonly client: EngineClient
  readonly url: string
}

async function run(
  t: TestContext,
  change: Parameters<Project['document']>[0],
  engine: NewEngine = {},
): Promise<Running> {
  const project = openProject(t)
  const client = await startEngine(project.dir, engine)
  project.engines.add((await client.status()).pid)
  const { url } = await client.apply(serviceName, project.document(change))
  await waitFor(client, isReady)
  return { project, client, url: `${url}${inferPath}` }
}

const settled = (client: EngineClient, replicas: number, revision = 1) =>
  waitFor(
    client,
    (service) => isReady(service) && service.revision === revision && service.instances.length === replicas,
    40_000,
  )

async function moveAbout(client: EngineClient): Promise<void> {
  for (const replicas of [3, 1, 2]) {
    await client.scale(serviceName, replicas)
    await settled(client, replicas)
  }
  await client.order(serviceName, { verb: 'Restart' })
  await settled(client, 2, 2)
}

test('scaled up, scaled down and restarted under load, a service loses no request', async (t) => {
  const { client, url } = await run(t, { replicas: 1 })
  const before = await client.status()
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond: 80 })
  await moveAbout(client)
  const after = await client.status()
  const names = ({ services }: typeof before) => services.flatMap(({ instances }) => instances.map(({ name }) => name))
  assert.deepEqual(
    names(after).filter((name) => names(before).includes(name)),
    [],
  )
  const results = await load.stop()
  assert.deepEqual(Object.keys(results), ['ok'])
  assert.ok((results['ok'] ?? 0) > 120)
})

/** Requests that take a while and cannot be sent again: only draining keeps them. */
function startSlowLoad(t: TestContext, url: string): OpenLoad {
  const data = Array.from({ length: slowRows * 64 }, () => 1)
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [slowRows, 64], data }] }
  return startOpenLoad(t, url, body, { ratePerSecond: 12, padToBytes: unrepeatableBytes })
}

test('slow requests that cannot be sent again are finished before their replica ends', async (t) => {
  const { client, url } = await run(t, { replicas: 1, uri: slowModel })
  const load = startSlowLoad(t, url)
  await waitUntil('some answers', () => load.answered > 5)
  await moveAbout(client)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('with draining switched off the same movements lose requests', async (t) => {
  const { client, url } = await run(t, { replicas: 1, uri: slowModel }, { drains: false })
  const load = startSlowLoad(t, url)
  await waitUntil('some answers', () => load.answered > 5)
  await moveAbout(client)
  // Each end of a replica may by chance meet a moment in which it has nothing to do.
  for (let round = 0; load.failed === 0 && round < 10; round++) {
    await client.scale(serviceName, 3)
    await settled(client, 3, 2)
    await client.scale(serviceName, 1)
    await settled(client, 1, 2)
  }
  const { ok = 0, ...lost } = await load.stop()
  assert.ok(ok > 5)
  assert.ok(Object.keys(lost).length > 0, 'this load would not notice a lost drain')
  for (const result of Object.keys(lost)) assert.match(result, /^502 |^503 |cut off|ECONNRESET|socket hang up/)
})

test('a killed replica costs only what it was computing and what cannot be sent again', async (t) => {
  const { client, url } = await run(t, { replicas: 2, uri: slowModel })
  const slow = startSlowLoad(t, url)
  const small = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 64], data: Array.from({ length: 64 }, () => 1) }] }
  const repeatable = startOpenLoad(t, url, small, { ratePerSecond: 60 })
  await waitUntil('some answers', () => slow.answered > 10)
  const [service] = (await client.status()).services
  const victim = service?.instances[0]
  const { services } = await client.load()
  const inFlight = services[0]?.instances.find(({ name }) => name === victim?.name)?.inFlight ?? 0
  kill(victim?.pid)
  await waitFor(client, ({ instances }) => instances.some(({ restarts }) => restarts === 1))
  await settled(client, 2)
  assert.deepEqual(Object.keys(await repeatable.stop()), ['ok'])
  const { ok = 0, ...lost } = await slow.stop()
  assert.ok(ok > 10)
  const count = Object.values(lost).reduce((sum, value) => sum + value, 0)
  // Between the look and the kill one more may have come.
  assert.ok(count <= inFlight + 1, `${count} of ${inFlight} in flight: ${JSON.stringify(lost)}`)
})

test('a replica that loads slowly gets no request before it is ready', async (t) => {
  const { project, client, url } = await run(t, { replicas: 1 })
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond: 80 })
  const find = () => findProcesses(projectPaths(project.dir)).filter(({ name }) => name.startsWith(`${serviceName}-`))
  const [first] = find()
  await client.scale(serviceName, 2)
  await waitUntil('the second process', () => find().length === 2)
  const second = find().find(({ name }) => name !== first?.name)
  kill(second?.identity.pid, 'SIGSTOP')
  await sleep(2000)
  const { services } = await client.status()
  assert.deepEqual([services[0]?.phase, services[0]?.replicas], ['Starting', { desired: 2, ready: 1 }])
  kill(second?.identity.pid, 'SIGCONT')
  await settled(client, 2)
  const answered = load.answered
  await waitUntil('more answers', () => load.answered > answered + 40)
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('an engine that ends and one that begins under load lose no request', async (t) => {
  const { project, client, url } = await run(t, { replicas: 2 })
  const load = startOpenLoad(t, url, requestBody, { ratePerSecond: 80 })
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const { pid } = await client.status()
    kill(pid, signal)
    await waitUntil('the engine is gone', async () => await client.status().then(Boolean, () => true))
    const answered = load.answered
    await waitUntil('answers without an engine', () => load.answered > answered + 40)
    await startEngine(project.dir)
    project.engines.add((await client.status()).pid)
    await settled(client, 2)
  }
  assert.deepEqual(Object.keys(await load.stop()), ['ok'])
})

test('a replica that hangs while it drains is killed after its grace, and the events say so', async (t) => {
  const { client } = await run(t, { replicas: 2, timeout: '1s', drainTimeout: '2s' })
  const { services } = await client.status()
  const newest = services[0]?.instances.toSorted((a, b) => (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0))[0]
  kill(newest?.pid, 'SIGSTOP')
  const stoppedMs = performance.now()
  await client.scale(serviceName, 1)
  await settled(client, 1)
  const tookMs = performance.now() - stoppedMs
  assert.ok(tookMs > 4000, `killed after ${tookMs} ms, before its grace of 4 s`)
  const events = await client.events(serviceName, 50)
  const killed = events.find(({ reason }) => reason === 'Killed')
  assert.deepEqual(
    [killed?.replica, killed?.message],
    [newest?.name, 'it hung: it had not ended 4s after it was told to'],
  )
})

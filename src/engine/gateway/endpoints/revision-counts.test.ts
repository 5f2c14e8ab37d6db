import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, request as startRequest } from 'node:http'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { answerWith, ask, openBackend, openTestRoute, until } from '../../../../test/kit/gateway-rig.ts'
import type { GatewayRoute } from '../gateway-config.ts'
import { countOutcome, createTallies } from './revision-counts.ts'
import type { Route } from '../route.ts'

async function open(
  t: TestContext,
  handle: RequestListener,
  settings: Partial<GatewayRoute> = {},
): Promise<{ readonly route: Route; readonly kill: () => Promise<void> }> {
  const { endpoint, kill } = await openBackend(t, 'a', handle)
  return { route: await openTestRoute(t, [endpoint], settings), kill }
}

function countsOf(route: Route, revision = 1): readonly (number | undefined)[] {
  const counts = route.status().revisions.find((one) => one.revision === revision)
  return [counts?.requests, counts?.errors, counts?.slow]
}

test('answers 5xx are errors, 4xx are refused, all others are neither, and probes do not count', async (t) => {
  const { route } = await open(t, ({ url = '' }, response) => response.writeHead(Number(url.slice(1)) || 200).end())
  for (const status of [200, 302, 400, 404, 422, 429, 499]) await ask(route, { path: `/${status}` })
  assert.deepEqual(countsOf(route), [7, 0, 0])
  assert.equal(route.status().revisions[0]?.refused, 5)
  await ask(route, { path: '/v2/health/ready' })
  for (const status of [500, 501, 503]) await ask(route, { path: `/${status}` })
  assert.deepEqual(countsOf(route), [10, 3, 0])
})

test("a replica's own 504 is late: an error and slow, however short its limit is", async (t) => {
  const { route } = await open(t, (_, response) => response.writeHead(504).end(), { slowMs: 60_000 })
  await ask(route)
  assert.deepEqual(countsOf(route), [1, 1, 1])
})

test('an answer that is cut off is an error', async (t) => {
  const cutting = createRawServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'))
  }).listen(0, '127.0.0.1')
  await once(cutting, 'listening')
  t.after(() => void cutting.close())
  const { port } = cutting.address() as AddressInfo
  const route = await openTestRoute(t, [{ id: 'cutting', revision: 1, host: '127.0.0.1', port }])
  await assert.rejects(ask(route), /aborted/)
  await until(() => route.status().inFlight === 0)
  assert.deepEqual(countsOf(route), [1, 1, 0])
  assert.equal(route.status().revisions[0]?.latency, null)
})

test('a replica that takes a request and gives no answer, and one that cannot be reached, are errors', async (t) => {
  const { route } = await open(t, (request) => request.socket.resetAndDestroy(), { waitMs: 20 })
  assert.equal((await ask(route)).status, 503)
  assert.deepEqual(countsOf(route), [1, 1, 0])
  assert.equal(route.status().revisions[0]?.latency, null)
  const gone = await open(t, answerWith('never'), { waitMs: 20 })
  await gone.kill()
  assert.equal((await ask(gone.route)).status, 503)
  assert.deepEqual(countsOf(gone.route), [1, 1, 0])
  assert.equal(gone.route.status().revisions[0]?.latency, null)
})

test('a client that left counts for nobody, before an answer and within one', async (t) => {
  const asked: string[] = []
  const { route } = await open(
    t,
    ({ url = '' }, response) => {
      asked.push(url)
      if (url === '/within') response.write('begun')
    },
    { slowMs: 1 },
  )
  for (const path of ['/before', '/within']) {
    const request = startRequest({ port: route.settings.port, host: '127.0.0.1', agent: false, path })
    request.on('error', () => undefined).end()
    if (path === '/within') await once(request, 'response')
    await until(() => asked.includes(path))
    request.destroy()
    await until(() => route.status().inFlight === 0)
  }
  assert.deepEqual(countsOf(route), [0, 0, 0])
})

test("a body that grew too large is its client's doing and counts for nobody", async (t) => {
  const { route } = await open(t, (request) => void request.on('error', () => undefined).resume(), { maxBodyBytes: 10 })
  const headers = { 'transfer-encoding': 'chunked' }
  assert.equal((await ask(route, { method: 'POST', headers }, Buffer.alloc(100_000))).status, 413)
  assert.deepEqual(countsOf(route), [0, 0, 0])
})

test('slow is what the replica took: not the time a request was held for it', async (t) => {
  const backend = await openBackend(t, 'a', ({ url }, response) => {
    setTimeout(() => response.end(), url === '/slow' ? 250 : 0)
  })
  const route = await openTestRoute(t, [], { slowMs: 200 })
  const held = ask(route)
  await until(() => route.status().waiting === 1)
  const heldUntilMs = performance.now() + 250
  await until(() => performance.now() >= heldUntilMs)
  await route.apply({ ...route.settings, endpoints: [backend.endpoint] })
  assert.equal((await held).status, 200)
  assert.deepEqual(countsOf(route), [1, 0, 0])
  const { latency, revisions } = route.status()
  assert.ok((latency?.p50Ms ?? 0) > 200, 'its client waited all the same')
  assert.ok((revisions[0]?.latency?.p50Ms ?? NaN) < 200)
  await ask(route, { path: '/slow' })
  assert.deepEqual(countsOf(route), [2, 0, 1])
})

test('slow is what the replica took: not the time that was lost on another', async (t) => {
  const dying = await openBackend(t, 'dying', ({ socket }) => void setTimeout(() => socket.resetAndDestroy(), 250))
  const living = await openBackend(t, 'living', answerWith('here'))
  const weights = [{ revision: 1, percent: 100 }]
  const endpoints = [dying.endpoint, { ...living.endpoint, revision: 2 }]
  const route = await openTestRoute(t, endpoints, { slowMs: 200, weights })
  const answer = ask(route)
  await until(() => route.status().inFlight === 1)
  await route.apply({ ...route.settings, weights: undefined })
  assert.equal((await answer).body, 'here')
  assert.deepEqual(countsOf(route, 1), [1, 1, 1])
  assert.deepEqual(countsOf(route, 2), [1, 0, 0])
})

test('revisions in use or with requests in flight are never forgotten, of the others the newest are kept', () => {
  const tallies = createTallies()
  const stable = tallies.of(1)
  tallies.of(2).inFlight = 1
  countOutcome(stable, { error: false, refused: false, slow: true, tookMs: 5, nowMs: 0 })
  for (let revision = 3; revision <= 20; revision++) {
    tallies.of(revision)
    tallies.forget(new Set([1, revision]))
  }
  const kept = tallies.list(0)
  assert.deepEqual(
    kept.map(({ revision }) => revision),
    [1, 2, 15, 16, 17, 18, 19, 20],
  )
  assert.equal(tallies.of(1), stable)
  assert.deepEqual([kept[0]?.requests, kept[0]?.slow, kept[0]?.latency?.count], [1, 1, 1])
  assert.equal(kept[1]?.latency, null)
})

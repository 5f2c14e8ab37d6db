import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type RequestListener, request as startRequest } from 'node:http'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Backend,
  answerWith,
  ask,
  errorOf,
  openBackend,
  openTestRoute,
  sayRaw,
  until,
} from '../../../test/kit/gateway-rig.ts'

test('a hundred requests at once are all answered, over no more connections than that, and the next over kept ones', async (t) => {
  let opened = 0
  const backends = await Promise.all(['a', 'b'].map(async (id) => await openBackend(t, id, answerWith(id))))
  for (const { server } of backends) server.on('connection', () => opened++)
  const route = await openTestRoute(
    t,
    backends.map(({ endpoint }) => endpoint),
  )
  const round = async (): Promise<string[]> =>
    await Promise.all(
      Array.from({ length: 100 }, async () => (await ask(route, { method: 'POST' }, Buffer.alloc(5000))).body),
    )
  assert.equal((await round()).filter((body) => body === 'a').length, 50)
  assert.ok(opened <= 100, String(opened))
  const before = opened
  for (let count = 0; count < 20; count++) await ask(route)
  assert.equal(opened, before)
})

test('a replica that dies before it answers costs nothing while another lives', async (t) => {
  let held = 0
  const dying = await openBackend(t, 'dying', (request) => void request.resume().once('end', () => held++))
  const living = await openBackend(t, 'living', answerWith('living'))
  const route = await openTestRoute(t, [dying.endpoint, living.endpoint])
  const body = randomBytes(600_000)
  let answered = 0
  const answers = Array.from({ length: 20 }, async () => {
    const answer = await ask(route, { method: 'POST', headers: { 'content-length': body.length } }, body)
    answered++
    return answer
  })
  await until(() => held > 0 && held + answered === 20)
  await dying.kill()
  for (const { status, body } of await Promise.all(answers)) assert.deepEqual([status, body], [200, 'living'])
  const [first, second] = route.status().endpoints
  assert.deepEqual([first?.state, first?.failures], ['Ejected', held])
  assert.deepEqual([second?.state, second?.failures, route.status().errors], ['Active', 0, 0])
})

test('replicas killed and started again under load lose no request', async (t) => {
  const stop = new AbortController()
  const start = async (id: string): Promise<Backend> =>
    await openBackend(
      t,
      id,
      (request, response) => void request.resume().once('end', () => setImmediate(() => response.end(id))),
    )
  let pair = [await start('a'), await start('b')] as const
  const route = await openTestRoute(
    t,
    pair.map(({ endpoint }) => endpoint),
  )
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  let answered = 0
  const client = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const { status } = await ask(route, { method: 'POST', agent }, Buffer.alloc(2000))
      assert.equal(status, 200)
      answered++
    }
  }
  const clients = Array.from({ length: 16 }, client)
  for (let round = 0; round < 6; round++) {
    const goal = answered + 100
    await until(() => answered >= goal)
    const fresh = await start(`c${round}`)
    const [victim, survivor] = pair
    await victim.kill()
    pair = [survivor, fresh]
    await route.apply({ ...route.settings, endpoints: pair.map(({ endpoint }) => endpoint) })
  }
  stop.abort()
  await Promise.all(clients)
  assert.equal(route.status().errors, 0)
})

test('a request that kills replicas does not get to all of them', async (t) => {
  let deaths = 0
  const die: RequestListener = (request) => {
    deaths++
    request.socket.resetAndDestroy()
  }
  const backends = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (id) => await openBackend(t, id, die)))
  const route = await openTestRoute(
    t,
    backends.map(({ endpoint }) => endpoint),
  )
  const answer = await ask(route)
  assert.equal(answer.status, 502)
  assert.equal(deaths, 3)
  assert.match(errorOf(answer), /No replica could answer/)
  assert.equal(route.status().errors, 1)
})

test('after the first byte of an answer nothing is tried again, and the client sees the cut', async (t) => {
  let requests = 0
  const cutting = createRawServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      requests++
      const part = bytes.toString().startsWith('GET /head')
        ? 'HTTP/1.1 200 OK\r\nContent-L'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'
      socket.end(part)
    })
  }).listen(0, '127.0.0.1')
  await once(cutting, 'listening')
  t.after(() => void cutting.close())
  const { port } = cutting.address() as AddressInfo
  const route = await openTestRoute(t, [{ id: 'cutting', revision: 1, host: '127.0.0.1', port }])
  await assert.rejects(ask(route, { path: '/body' }), /aborted/)
  assert.equal((await ask(route, { path: '/head' })).status, 502)
  assert.equal(requests, 2)
  assert.equal(route.status().errors, 2)
})

test('a replica that closes kept connections at any moment is not noticed', async (t) => {
  const backend = await openBackend(t, 'a', (request, response) => {
    request.resume()
    // Answered whole, and closed right after: the next request may already be on its way.
    response.end('fine', () => setImmediate(() => request.socket.destroy()))
  })
  const route = await openTestRoute(t, [backend.endpoint])
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  for (let count = 0; count < 60; count++) {
    assert.equal((await ask(route, { method: 'POST', agent }, Buffer.from('x'))).status, 200)
  }
  assert.equal(route.status().endpoints[0]?.state, 'Active')
  assert.equal(route.status().endpoints[0]?.failures, 0)
})

test('a client that leaves takes its request from the replica, and the replica keeps serving others', async (t) => {
  const left = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const backend = await openBackend(t, 'a', (request, response) => {
    if (request.url === '/quick') return void response.end('quick')
    asked.resolve()
    response.once('close', () => left.resolve())
  })
  const route = await openTestRoute(t, [backend.endpoint])
  const request = startRequest({ port: route.settings.port, host: '127.0.0.1', agent: false })
  request.on('error', () => undefined).end()
  await asked.promise
  request.destroy()
  await left.promise
  assert.equal((await ask(route, { path: '/quick' })).body, 'quick')
  const { inFlight, errors, endpoints } = route.status()
  assert.deepEqual([inFlight, errors, endpoints[0]?.state, endpoints[0]?.failures], [0, 0, 'Active', 0])
})

test('a body over the limit is refused before the replica hears of it, or as soon as it grows too large', async (t) => {
  const urls: (string | undefined)[] = []
  const backend = await openBackend(t, 'a', (request) => {
    urls.push(request.url)
    request.on('error', () => undefined).resume()
  })
  const route = await openTestRoute(t, [backend.endpoint], { maxBodyBytes: 1000 })
  const stated = await ask(
    route,
    { method: 'POST', path: '/stated', headers: { 'content-length': 3_000_000 } },
    Buffer.alloc(3_000_000),
  )
  assert.equal(stated.status, 413)
  assert.match(errorOf(stated), /over 1000 bytes/)
  const growing = await ask(
    route,
    { method: 'POST', path: '/growing', headers: { 'transfer-encoding': 'chunked' } },
    Buffer.alloc(3_000_000),
  )
  assert.equal(growing.status, 413)
  assert.ok(!urls.includes('/stated'))
  assert.equal(route.status().endpoints[0]?.failures, 0)
})

test('a replica that does not answer in time is 504, one that speaks no HTTP is 502, and neither is asked twice', async (t) => {
  let late = 0
  const backend = await openBackend(t, 'late', () => late++)
  const raw = createRawServer(
    (socket) => void socket.on('error', () => undefined).once('data', () => socket.end('SSH-2.0\r\n\r\n\r\n')),
  )
  raw.listen(0, '127.0.0.1')
  await once(raw, 'listening')
  t.after(() => void raw.close())
  const route = await openTestRoute(t, [backend.endpoint], { timeoutMs: 1, slowMs: 60_000 })
  const answer = await ask(route)
  assert.deepEqual([answer.status, late], [504, 1])
  const [lateCounts] = route.status().revisions
  assert.deepEqual([lateCounts?.requests, lateCounts?.errors, lateCounts?.slow], [1, 1, 1])
  assert.ok((lateCounts?.latency?.p50Ms ?? 0) > 900, 'a late answer is a slow one, not one left out')
  await route.apply({
    ...route.settings,
    endpoints: [{ id: 'ssh', revision: 1, host: '127.0.0.1', port: (raw.address() as AddressInfo).port }],
  })
  assert.equal((await ask(route)).status, 502)
  const [counts] = route.status().revisions
  assert.deepEqual([counts?.requests, counts?.errors, counts?.slow, counts?.latency?.count], [2, 2, 1, 1])
})

test('a request waits a moment for a replica to come, probes do not', async (t) => {
  const backend = await openBackend(t, 'a', answerWith('at last'))
  const route = await openTestRoute(t, [])
  assert.equal((await ask(route, { path: '/v2/health/ready' })).status, 503)
  const waiting = ask(route, { method: 'POST' }, Buffer.from('body'))
  await until(() => route.status().inFlight > 0)
  await route.apply({ ...route.settings, endpoints: [backend.endpoint] })
  assert.equal((await waiting).body, 'at last')
  assert.equal((await ask(route, { path: '/v2/health/ready' })).body, 'at last')
})

test('what two readers could frame differently never reaches the replica', async (t) => {
  const urls: (string | undefined)[] = []
  const backend = await openBackend(t, 'a', (request, response) => {
    urls.push(request.url)
    request.resume()
    response.end()
  })
  const route = await openTestRoute(t, [backend.endpoint])
  const bad = 'POST /bad HTTP/1.1\r\nHost: x\r\n'
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const text of [
    `${bad}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `${bad}Content-Length: 4\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    `${bad}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${bad}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
    `${bad}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `${bad}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${smuggled}`,
    `${bad}A: b\r\n Content-Length: 5\r\n\r\n${smuggled}`.replace('POST', 'BREW'),
    'GET bad HTTP/1.1\r\nHost: x\r\n\r\n',
  ]) {
    assert.match(await sayRaw(route, text), /^HTTP\/1\.1 4\d\d /, JSON.stringify(text))
  }
  assert.ok(!urls.includes('/smuggled'), String(urls))
  assert.deepEqual(
    urls.filter((url) => url !== '/bad'),
    [],
  )
})

test('no bytes of a client end the gateway', async (t) => {
  const backend = await openBackend(
    t,
    'a',
    (request, response) => void request.on('error', () => undefined).pipe(response),
  )
  const route = await openTestRoute(t, [backend.endpoint])
  const start = fc.constantFrom(
    '',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'HEAD / HTTP/1.0\r\n\r\n',
  )
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 60 }), async (text, noise) => {
      await sayRaw(route, Buffer.concat([Buffer.from(text), noise]))
    }),
    { numRuns: 80 },
  )
  assert.equal((await ask(route, { method: 'POST' }, Buffer.from('alive'))).body, 'alive')
  assert.equal(route.status().inFlight, 0)
})

test('where keys are asked for only their callers are served, health checks apart, and no key goes further', async (t) => {
  const seen: Record<string, unknown>[] = []
  const backend = await openBackend(t, 'a', (request, response) => {
    seen.push(request.headers)
    response.end('ok')
  })
  const key = 'a-key-of-many-characters'
  const sha256 = createHash('sha256').update(key).digest('hex')
  const route = await openTestRoute(t, [backend.endpoint], { apiKeys: [{ caller: 'ann', sha256 }] })
  const status = async (headers: Record<string, string>, path = '/v2'): Promise<number> =>
    (await ask(route, { headers, path })).status
  assert.equal(await status({ authorization: `Bearer ${key}` }), 200)
  assert.equal(await status({ authorization: `bearer  ${key}` }), 200)
  assert.equal(await status({ 'x-api-key': key, 'x-other': '1' }), 200)
  assert.deepEqual(
    seen.map(({ authorization, 'x-api-key': given }) => [authorization, given]),
    Array.from({ length: 3 }, () => [undefined, undefined]),
  )
  assert.equal(seen[2]?.['x-other'], '1')
  for (const headers of [
    {},
    { authorization: 'Bearer' },
    { authorization: `Basic ${key}` },
    { authorization: `Bearer ${key}x` },
    { authorization: `Bearer ${sha256}` },
    { authorization: `Bearer ${key}, Bearer ${key}` },
    { 'x-api-key': '' },
    { 'x-api-key': key.toUpperCase() },
  ] as Record<string, string>[])
    assert.equal(await status(headers), 401, JSON.stringify(headers))
  const refused = await ask(route, { method: 'POST' }, Buffer.alloc(100_000))
  assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer'])
  assert.match(errorOf(refused), /^The API key was refused: the request has none/)
  assert.equal(seen.length, 3)
  assert.equal(await status({}, '/v2/health/ready'), 200)
  assert.equal(await status({}, '/v2/health/../models'), 401)
  await route.apply({ ...route.settings, apiKeys: undefined })
  assert.equal(await status({ authorization: `Bearer ${key}` }), 200)
  assert.equal(seen.at(-1)?.['authorization'], `Bearer ${key}`, "without keys of our own the header is the replica's")
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, createServer, request as startRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { answerWith, ask, errorOf, openBackend, openTestRoute, until } from '../../../test/kit/gateway-rig.ts'
import { TowlineError } from '../../base/errors.ts'

test('requests go to the replica with the fewest in flight', async (t) => {
  const held: (() => void)[] = []
  const slow = await openBackend(t, 'slow', (_, response) => void held.push(() => response.end('slow')))
  const quick = await openBackend(t, 'quick', answerWith('quick'))
  const route = await openTestRoute(t, [slow.endpoint, quick.endpoint])
  const first = ask(route)
  await until(() => held.length > 0)
  const others: string[] = []
  for (let count = 0; count < 6; count++) others.push((await ask(route)).body)
  assert.deepEqual(new Set(others), new Set(['quick']))
  const { endpoints, inFlight } = route.status()
  assert.deepEqual([endpoints[0]?.inFlight, endpoints[1]?.inFlight, inFlight], [1, 0, 1])
  held[0]?.()
  assert.equal((await first).body, 'slow')
  assert.deepEqual([route.status().inFlight, route.status().requests, route.status().errors], [0, 7, 0])
})

test('what the client sends and the replica answers passes unchanged, but for what belongs to a connection', async (t) => {
  const seen = Promise.withResolvers<IncomingMessage>()
  const backend = await openBackend(t, 'a', (request, response) => {
    seen.resolve(request)
    request.resume().once('end', () => {
      response.writeHead(207, 'Much Status', [
        'X-Twice',
        '1',
        'x-twice',
        '2',
        'Proxy-Connection',
        'x',
        'Content-Length',
        '2',
      ])
      response.end('ok')
    })
  })
  const route = await openTestRoute(t, [backend.endpoint])
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = {
    TraceParent: traceparent,
    'X-Forwarded-For': '10.0.0.9',
    TE: 'trailers',
    Connection: 'X-Mine',
    'X-Mine': 'y',
  }
  const answer = await ask(route, { method: 'PATCH', path: '/v2/x?y=%20', headers }, Buffer.from('hello'))
  const request = await seen.promise
  assert.deepEqual(
    [request.method, request.url, request.headers.host],
    ['PATCH', '/v2/x?y=%20', `127.0.0.1:${route.settings.port}`],
  )
  assert.equal(request.rawHeaders[request.rawHeaders.indexOf('TraceParent') + 1], traceparent)
  assert.equal(request.headers['x-forwarded-for'], '10.0.0.9, 127.0.0.1')
  assert.match(String(request.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  assert.deepEqual([request.headers.te, request.headers['x-mine']], [undefined, undefined])
  assert.deepEqual([answer.status, answer.body, answer.headers['proxy-connection']], [207, 'ok', undefined])
  assert.deepEqual(
    answer.rawHeaders.filter((_, index) => /x-twice/i.test(answer.rawHeaders[index - (index % 2)] ?? '')),
    ['X-Twice', '1', 'x-twice', '2'],
  )
})

test("a client's own request id is kept, and the gateway's errors carry it", async (t) => {
  const route = await openTestRoute(t, [])
  const answer = await ask(route, { path: '/v2/health/ready', headers: { 'X-Request-Id': 'mine' } })
  assert.deepEqual([answer.status, answer.headers['x-request-id'], answer.headers['retry-after']], [503, 'mine', '1'])
  assert.match(errorOf(answer), /not ready/)
})

test('an id that is no plain text is replaced, for the replica and for the client alike', async (t) => {
  const seen: unknown[] = []
  const backend = await openBackend(t, 'a', (request, response) => {
    seen.push(request.headers['x-request-id'])
    response.end()
  })
  const route = await openTestRoute(t, [backend.endpoint])
  await ask(route, { headers: { 'X-Request-Id': 'x'.repeat(2000) } })
  await ask(route, { headers: { 'X-Request-Id': '{"forged": "line"}' } })
  for (const id of seen) assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.equal(new Set(seen).size, 2)
})

test('requests that one client piles up without waiting are taken one at a time and answered in their order', async (t) => {
  const backend = await openBackend(t, 'a', (request, response) => void response.end(`<${request.url}>`))
  const route = await openTestRoute(t, [])
  const socket = connect(route.settings.port, '127.0.0.1')
  t.after(() => socket.destroy())
  const order = Array.from({ length: 1000 }, (_, index) => `/${index}`)
  socket.write(order.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
  await until(() => route.status().requests === 1)
  assert.deepEqual([route.status().inFlight, route.status().waiting], [1, 1])
  await route.apply({ ...route.settings, endpoints: [backend.endpoint] })
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.includes(`<${order.at(-1)}>`)) break
  }
  assert.deepEqual(
    [...text.matchAll(/<(.+?)>/g)].map(([, path]) => path),
    order,
  )
})

test('a large body never gets far ahead of a slow receiver, in either direction', async (t) => {
  const size = 96 << 20
  // What the kernel keeps on two connections and the streams on four sides; far less than the body.
  const slack = 40 << 20
  const block = Buffer.alloc(1 << 20, 'x')
  let sent = 0
  let received = 0
  let answered = 0
  const backend = await openBackend(t, 'a', async (request, response) => {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      received += chunk.length
      assert.ok(sent - received < slack, `${sent - received} bytes are under way`)
    }
    for (; answered < size; answered += block.length) if (!response.write(block)) await once(response, 'drain')
    response.end()
  })
  const route = await openTestRoute(t, [backend.endpoint], { maxBodyBytes: size })
  const request = startRequest({ port: route.settings.port, host: '127.0.0.1', method: 'POST', agent: false })
  const begun = once(request, 'response') as Promise<[IncomingMessage]>
  for (; sent < size; sent += block.length) if (!request.write(block)) await once(request, 'drain')
  request.end()
  const [response] = await begun
  let taken = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    taken += chunk.length
    assert.ok(answered - taken < slack, `${answered - taken} bytes are under way`)
  }
  assert.deepEqual([received, taken], [size, size])
})

test('random bodies of any framing arrive as they were sent', async (t) => {
  const backend = await openBackend(t, 'a', (request, response) => void request.pipe(response))
  const route = await openTestRoute(t, [backend.endpoint])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const size = fc.oneof(fc.nat(100), fc.nat(300_000))
  await fc.assert(
    fc.asyncProperty(size, fc.boolean(), async (sizeBytes, chunked) => {
      const body = randomBytes(sizeBytes)
      const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': sizeBytes }
      const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
      startRequest({ port: route.settings.port, host: '127.0.0.1', method: 'POST', agent, headers }, resolve).end(body)
      const echoed = Buffer.concat((await (await promise).toArray()) as Buffer[])
      assert.ok(echoed.equals(body))
    }),
    { numRuns: 40 },
  )
})

test('a replica that comes back on its port is found again without being told', async (t) => {
  const backend = await openBackend(t, 'a', answerWith('before'))
  const route = await openTestRoute(t, [backend.endpoint])
  assert.equal((await ask(route)).body, 'before')
  await backend.kill()
  const waiting = ask(route)
  await until(() => route.status().endpoints[0]?.state === 'Ejected')
  const again = createServer(answerWith('after')).listen(backend.endpoint.port, '127.0.0.1')
  t.after(() => {
    again.close()
    again.closeAllConnections()
  })
  assert.equal((await waiting).body, 'after')
  assert.equal(route.status().endpoints[0]?.state, 'Active')
})

test('a replica taken out gets nothing new, finishes what it has, and is listed until then', async (t) => {
  const held: (() => void)[] = []
  const leaving = await openBackend(t, 'leaving', (_, response) => void held.push(() => response.end('finished')))
  const staying = await openBackend(t, 'staying', answerWith('staying'))
  const route = await openTestRoute(t, [leaving.endpoint])
  const owed = ask(route)
  await until(() => held.length > 0)
  await route.apply({ ...route.settings, endpoints: [staying.endpoint] })
  assert.equal((await ask(route)).body, 'staying')
  const states = route.status().endpoints.map(({ id, state, inFlight }) => ({ id, state, inFlight }))
  assert.deepEqual(states, [
    { id: 'staying', state: 'Active', inFlight: 0 },
    { id: 'leaving', state: 'Draining', inFlight: 1 },
  ])
  held[0]?.()
  assert.equal((await owed).body, 'finished')
  assert.deepEqual(
    route.status().endpoints.map(({ id }) => id),
    ['staying'],
  )
})

test('a closing route answers what it owes before it is closed', async (t) => {
  const held: (() => void)[] = []
  const backend = await openBackend(t, 'a', (_, response) => void held.push(() => response.end('owed')))
  const route = await openTestRoute(t, [backend.endpoint])
  const owed = ask(route)
  await until(() => held.length > 0)
  const closed = route.close(5000)
  await assert.rejects(ask(route), /ECONNREFUSED/)
  held[0]?.()
  assert.equal((await owed).body, 'owed')
  await closed
  await until(() => backend.sockets.size === 0)
})

test('settings change without the listener, the port with a new one, and a taken port changes nothing', async (t) => {
  const backend = await openBackend(t, 'a', answerWith('fine'))
  const route = await openTestRoute(t, [backend.endpoint])
  const { port } = route.settings
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  await ask(route, { agent })
  await route.apply({ ...route.settings, timeoutMs: 1000 })
  await route.apply({ ...route.settings, port: 0 })
  assert.equal(route.settings.port, port)
  await ask(route, { agent })
  assert.equal(route.status().endpoints[0]?.requests, 2)

  await assert.rejects(
    route.apply({ ...route.settings, port: backend.endpoint.port, endpoints: [] }),
    (error) => error instanceof TowlineError && error.code === 'TL_PORT_TAKEN',
  )
  assert.equal((await ask(route)).body, 'fine')
})

test('an absolute target is taken as its path', async (t) => {
  const backend = await openBackend(t, 'a', (request, response) => void response.end(request.url))
  const route = await openTestRoute(t, [backend.endpoint])
  assert.equal((await ask(route, { path: 'http://elsewhere:80/v2?x' })).body, '/v2?x')
  assert.equal((await ask(route, { path: 'http://elsewhere' })).body, '/')
})

test('the time in flight adds up, the last minute has its percentiles, and each revision has counts of its own', async (t) => {
  const first = await openBackend(t, 'first', (_, response) => setTimeout(() => response.end('1'), 60))
  const second = await openBackend(t, 'second', (_, response) => response.writeHead(500).end())
  const route = await openTestRoute(t, [first.endpoint], { slowMs: 30 })
  await Promise.all([ask(route), ask(route)])
  await route.apply({ ...route.settings, endpoints: [{ ...second.endpoint, revision: 2 }] })
  await ask(route)
  const { inFlightMs, latency, revisions, errors, measuredAtMs } = route.status()
  const counts = revisions.map(({ latency, ...rest }) => ({ ...rest, answered: latency?.count }))
  assert.ok(inFlightMs >= 115 && inFlightMs < measuredAtMs, `${inFlightMs}`)
  assert.equal(latency?.count, 3)
  assert.ok(latency.p99Ms > 50)
  assert.equal(errors, 1)
  assert.deepEqual(counts, [
    { revision: 1, requests: 2, errors: 0, refused: 0, slow: 2, inFlight: 0, answered: 2 },
    { revision: 2, requests: 1, errors: 1, refused: 0, slow: 0, inFlight: 0, answered: 1 },
  ])
  const [before, after] = revisions.map((revision) => revision.latency?.p99Ms ?? NaN)
  assert.ok(before !== undefined && after !== undefined && before > 50 && after < before, `${before}, ${after}`)
})

test('a counting has one name for as long as it goes on, and another when it begins anew', async (t) => {
  const backend = await openBackend(t, 'a', answerWith('a'))
  const route = await openTestRoute(t, [backend.endpoint])
  const { countedSince } = route.status()
  await ask(route)
  await route.apply({ ...route.settings, endpoints: [] })
  assert.equal(route.status().countedSince, countedSince)
  const other = await openTestRoute(t, [backend.endpoint])
  assert.notEqual(other.status().countedSince, countedSince)
})

test('a request for a service without replicas is held as long as the route says, and counted while it waits', async (t) => {
  const backend = await openBackend(t, 'late', answerWith('here'))
  const route = await openTestRoute(t, [], { waitMs: 10_000 })
  const answer = ask(route, { method: 'POST' }, Buffer.from('{}'))
  await until(() => route.status().waiting === 1)
  await route.apply({ ...route.settings, endpoints: [backend.endpoint] })
  assert.equal((await answer).body, 'here')
  assert.deepEqual([route.status().waiting, route.status().inFlight], [0, 0])
  await route.apply({ ...route.settings, waitMs: 20, endpoints: [] })
  assert.equal((await ask(route, { method: 'POST' }, Buffer.from('{}'))).status, 503)
})

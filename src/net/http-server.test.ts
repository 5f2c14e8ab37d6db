import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { type Socket, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { sendError, sendJson } from './answer.ts'
import { isNobodyListening, requestJson } from './http-client.ts'
import { type Handler, type HttpServer, openHttpServer } from './http-server.ts'

async function open(t: TestContext, handle: Handler): Promise<HttpServer> {
  const server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handle })
  t.after(async () => await server.close(0))
  return server
}

const call = (port: number, path = '/') =>
  ({ url: `http://127.0.0.1:${port}`, method: 'GET', path, timeoutMs: 5000 }) as const

interface Conversation {
  readonly socket: Socket
  /** The server has closed its side, or both. */
  readonly closed: Promise<unknown>
  heard(): string
  hears(text: string): Promise<void>
}

/** A client that never closes its own side. */
function converse(t: TestContext, port: number, bytes: string): Conversation {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  t.after(() => socket.destroy())
  let text = ''
  socket.on('error', () => undefined).on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.write(bytes)
  return {
    socket,
    closed: Promise.race([once(socket, 'end'), once(socket, 'close')]),
    heard: () => text,
    hears: async (wanted) => {
      while (!text.includes(wanted)) await once(socket, 'data')
    },
  }
}

test('a handler that fails is answered for: a known failure by its code, a bug without its text', async (t) => {
  const server = await open(t, (request) => {
    if (request.url === '/known') throw new TowlineError('TL_OVERLOADED', 'the queue is full', { hint: 'wait' })
    throw new Error('secret')
  })
  assert.deepEqual(await requestJson(call(server.port, '/known')), {
    status: 503,
    body: { error: 'The service is at its limit: the queue is full (wait)', code: 'TL_OVERLOADED' },
  })
  const { status, body } = await requestJson(call(server.port))
  assert.equal(status, 500)
  assert.doesNotMatch(JSON.stringify(body), /secret/)
})

test('a failure after the answer has begun cuts it off, so that nobody takes a part for the whole', async (t) => {
  const server = await open(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('part')
    throw new TowlineError('TL_MODEL_FAILED', 'half-way')
  })
  await assert.rejects(requestJson(call(server.port)), /ECONNRESET|cut off|aborted|hang up/)
})

test('HEAD gets the head of the answer alone', async (t) => {
  const server = await open(t, (_, response) => sendJson(response, 200, { a: 1 }))
  const { heard, hears } = converse(
    t,
    server.port,
    'HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  await hears('close\r\n')
  await hears('\r\n\r\n')
  assert.match(heard(), /content-length: 7/)
  assert.doesNotMatch(heard(), /"a"/)
})

test('an error for a request whose body was not read ends the connection', async (t) => {
  const server = await open(t, (_, response) => sendError(response, new TowlineError('TL_ROUTE_UNKNOWN', '/')))
  const { heard, hears } = converse(t, server.port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n')
  await hears('TL_ROUTE_UNKNOWN')
  assert.match(heard(), /^HTTP\/1\.1 404 [^]*connection: close\r\n/i)
})

test('what is no HTTP is refused in our own form, and a client that does not let go is cut off', async (t) => {
  const server = await open(t, (_, response) => void response.end())
  for (const [bytes, expected] of [
    ['SSH-2.0-OpenSSH\r\n\r\n', /^HTTP\/1\.1 400 Bad Request\r\n[^]*\{"error":"this is not an HTTP/],
    [`GET / HTTP/1.1\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 [^]*over 32 KiB/],
  ] as const) {
    const { heard, closed } = converse(t, server.port, bytes)
    await closed
    assert.match(heard(), expected)
  }
  await server.close(60_000)
})

test('noise behind a request never becomes part of the answer to it', async (t) => {
  const begun = Promise.withResolvers<void>()
  const server = await open(t, (_, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('part')
    begun.resolve()
  })
  const { socket, heard, hears, closed } = converse(t, server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await begun.promise
  await hears('part')
  socket.write('noise\r\n\r\n')
  await closed
  assert.match(heard(), /\r\n\r\npart$/)
})

test('a taken port and an address of another machine are told apart, and say where', async (t) => {
  const server = await open(t, () => undefined)
  const refused = async (host: string, port: number): Promise<unknown> =>
    await openHttpServer({ listen: { host, port }, handle: () => undefined }).then(
      () => assert.fail('it listens'),
      (error: unknown) => (error instanceof TowlineError ? [error.code, error.detail] : error),
    )
  assert.deepEqual(await refused('127.0.0.1', server.port), [
    'TL_PORT_TAKEN',
    `another program listens on 127.0.0.1:${server.port}`,
  ])
  assert.deepEqual(await refused('192.0.2.1', 0), ['TL_ADDRESS_UNUSABLE', '192.0.2.1 is no address of this machine'])
})

test('a socket file that a killed process left behind is replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-server-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'control.sock')
  writeFileSync(socketPath, '')
  const server = await openHttpServer({ listen: { socketPath }, handle: (_, response) => sendJson(response, 200, 1) })
  t.after(async () => await server.close(0))
  assert.equal(server.port, 0)
  assert.equal((await requestJson({ socketPath, method: 'GET', path: '/', timeoutMs: 5000 })).body, 1)
})

test('a closing server answers what it owes, accepts nothing, and ends kept connections', async (t) => {
  const held = Promise.withResolvers<() => void>()
  const server = await open(t, (request, response) => {
    if (request.url === '/held') held.resolve(() => sendJson(response, 200, 'owed'))
    else response.end()
  })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const idle = converse(t, server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await idle.hears('HTTP/1.1 200')
  const owed = requestJson(call(server.port, '/held'))
  const release = await held.promise
  assert.equal(server.inFlight, 1)
  const closed = server.close(5000)
  await assert.rejects(requestJson(call(server.port)), isNobodyListening)
  release()
  assert.equal((await owed).body, 'owed')
  await closed
  await idle.closed
  assert.equal(server.inFlight, 0)
})

test('a closing server waits no longer than it was told', async (t) => {
  const asked = Promise.withResolvers<void>()
  const server = await open(t, () => asked.resolve())
  const never = requestJson(call(server.port))
  never.catch(() => undefined)
  await asked.promise
  await server.close(10)
  await assert.rejects(never)
})

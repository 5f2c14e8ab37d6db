import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { type Handler, type HttpServer, type HttpServerOptions, openHttpServer } from './http-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }

async function open(
  t: TestContext,
  handle: Handler,
  more: Partial<HttpServerOptions> = {},
): Promise<{ server: HttpServer; url: string }> {
  const server = await openHttpServer({ listen: anyPort, handle, ...more })
  t.after(() => server.close(0))
  return { server, url: `http://127.0.0.1:${server.port}` }
}

async function dial(t: TestContext, { port }: HttpServer, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer) // no encoding was set
  return Buffer.concat(chunks).toString()
}

const sayOk: Handler = (_, response) => void response.end('ok')

test('what is no HTTP is refused in the form of all errors, and the next caller is served', async (t) => {
  const { server, url } = await open(t, sayOk)
  const broken = await readAll(await dial(t, server, 'HELLO\r\n\r\n'))
  assert.match(broken, /^HTTP\/1\.1 400 Bad Request\r\n.*connection: close/s)
  assert.match(broken, /\r\n\r\n\{"error":"this is not an HTTP\/1\.1 request \(HPE_\w+\)"\}$/)
  const long = await readAll(await dial(t, server, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`))
  assert.match(long, /^HTTP\/1\.1 431 .*\{"error":"the headers are over 32 KiB"\}$/s)
  assert.equal(await (await fetch(url)).text(), 'ok')
})

test('a request that does not arrive in time is given up with 408', async (t) => {
  const { server } = await open(t, sayOk, { requestTimeoutMs: 1 })
  const late = await readAll(await dial(t, server, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n'))
  assert.match(late, /^HTTP\/1\.1 408 .*\{"error":"the request did not arrive in time"\}$/s)
})

test('a handler that fails is answered for: its own failures in full, bugs without their text', async (t) => {
  const { url } = await open(t, ({ url: path }) => {
    throw path === '/bug' ? new Error('secret') : new TowlineError('TL_OVERLOADED', 'too much', { hint: 'come again' })
  })
  const known = await fetch(url)
  assert.deepEqual([known.status, known.headers.get('retry-after')], [503, '1'])
  assert.deepEqual(await known.json(), {
    error: 'The service is at its limit: too much (come again)',
    code: 'TL_OVERLOADED',
  })
  const bug = await fetch(`${url}/bug`)
  assert.equal(bug.status, 500)
  assert.doesNotMatch(await bug.text(), /secret/)
})

test('a handler that fails after its answer began ends the connection, not the process', async (t) => {
  const { url } = await open(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('half')
    throw new Error('late')
  })
  await assert.rejects(async () => (await fetch(url)).text())
})

test('a refusal keeps the connection where no body is left on it', async (t) => {
  const { server } = await open(t, () => {
    throw new TowlineError('TL_ROUTE_UNKNOWN', 'no')
  })
  const socket = await dial(t, server)
  const ask = async (head: string): Promise<string> => {
    socket.write(head)
    return String(await once(socket, 'data'))
  }
  assert.match(await ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1\.1 404 .*connection: keep-alive/is)
  assert.match(await ask('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'), /connection: keep-alive/i)
  assert.match(await ask('HEAD / HTTP/1.1\r\nhost: a\r\n\r\n'), /connection: keep-alive.*\r\n\r\n$/is)
  assert.match(await ask('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n'), /connection: close/)
})

test('a taken port is a failure of its own', async (t) => {
  const { server } = await open(t, sayOk)
  await assert.rejects(
    openHttpServer({ listen: { host: '127.0.0.1', port: server.port }, handle: sayOk }),
    (error) =>
      error instanceof TowlineError &&
      error.code === 'TL_PORT_TAKEN' &&
      error.detail === `another program listens on 127.0.0.1:${server.port}`,
  )
})

test('close waits for what is owed, ends kept connections with it, and lets silent ones go', async (t) => {
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const { server, url } = await open(t, async ({ url: path }, response) => {
    if (path === '/owed') {
      begun.resolve()
      await finish.promise
    }
    response.end('done')
  })
  await (await fetch(url)).text()
  const silent = await dial(t, server)
  const owed = fetch(`${url}/owed`)
  await begun.promise
  assert.equal(server.inFlight, 1)
  let closed = false
  const silentEnd = once(silent, 'close')
  silent.resume()
  const closing = server.close(60_000).then(() => {
    closed = true
  })
  await silentEnd
  assert.equal(closed, false)
  await assert.rejects(fetch(url))
  finish.resolve()
  const answer = await owed
  assert.equal(await answer.text(), 'done')
  await closing
  assert.equal(server.inFlight, 0)
})

test('close gives up what is still owed when its time is over', async (t) => {
  const begun = Promise.withResolvers<void>()
  const { server, url } = await open(t, () => begun.resolve())
  const lost = assert.rejects(fetch(url))
  await begun.promise
  await server.close(10)
  await lost
})

test('a close that lingers answers once more on a kept connection and ends it, and cuts what stays idle', async (t) => {
  const { server, url } = await open(t, sayOk)
  const [used, idle] = await Promise.all([dial(t, server), dial(t, server)])
  const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
  for (const socket of [used, idle]) {
    socket.write(request)
    await once(socket, 'data')
  }
  const closing = server.close(60_000, 100)
  await assert.rejects(fetch(url), 'new connections are refused at once')
  used.write(request)
  const answer = await readAll(used)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/)
  assert.equal(idle.closed, false)
  await readAll(idle)
  await closing
})

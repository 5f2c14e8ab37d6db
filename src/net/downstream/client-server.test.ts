import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { type Socket, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpServer } from '../http-server.ts'
import type { ClientExchange } from './client-exchange.ts'
import { type ClientServerOptions, openClientServer } from './client-server.ts'

async function open(
  t: TestContext,
  handle: (exchange: ClientExchange) => void,
  more: Partial<ClientServerOptions> = {},
): Promise<HttpServer> {
  const server = await openClientServer({
    listen: { host: '127.0.0.1', port: 0 },
    handle,
    maxConnections: 100,
    ...more,
  })
  t.after(async () => await server.close(0))
  return server
}

async function dial(t: TestContext, { port }: HttpServer, text = '', allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen })
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  if (text !== '') socket.write(text, 'latin1')
  return socket
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer) // no encoding was set
  return Buffer.concat(chunks).toString('latin1')
}

/** Reads until `pattern` has come. */
async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = ''
  const take = (bytes: Buffer): void => void (text += bytes.toString('latin1'))
  socket.on('data', take)
  while (!pattern.test(text)) {
    assert.equal(socket.destroyed || socket.readableEnded, false, `the connection ended after ${JSON.stringify(text)}`)
    await sleep(2)
  }
  socket.off('data', take)
  return text
}

function answer(exchange: ClientExchange, body: string, headers: readonly string[] = []): void {
  exchange.sendHead(200, 'OK', ['Content-Length', String(body.length), ...headers])
  exchange.write(Buffer.from(body, 'latin1'))
  exchange.end()
}

/** Answers with the method, the target and the body, once all of it is there. */
function echo(exchange: ClientExchange): void {
  let body = ''
  exchange.read({
    data: (bytes) => void (body += bytes.toString('latin1')),
    end: () => answer(exchange, `${exchange.head.method} ${exchange.head.target} ${body}`),
  })
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

test("Node's own client is served over one kept connection, with bodies of all framings", async (t) => {
  const server = await open(t, echo)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ports = new Set<number | undefined>()
  const send = async (method: string, headers: Record<string, string>, parts: readonly string[]): Promise<string> => {
    const request = httpRequest({ port: server.port, method, path: '/p', headers, agent })
    request.on('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort)))
    for (const part of parts) request.write(part)
    request.end()
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return text
  }
  assert.equal(await send('GET', {}, []), 'GET /p ')
  assert.equal(await send('POST', { 'content-length': '5' }, ['he', 'llo']), 'POST /p hello')
  assert.equal(await send('PUT', { 'transfer-encoding': 'chunked' }, ['he', 'llo']), 'PUT /p hello')
  const large = 'x'.repeat(3_000_000)
  assert.equal(await send('POST', {}, [large]), `POST /p ${large}`)
  assert.equal(ports.size, 1)
})

test('requests sent at once are answered one after the other, in their order', async (t) => {
  const seen: number[] = []
  const server = await open(t, (exchange) => {
    seen.push(server.inFlight)
    setTimeout(() => echo(exchange), 3)
  })
  const post = 'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
  const text = await readAll(await dial(t, server, get + post + get + last))
  assert.deepEqual(
    text.match(/\r\n\r\n(GET|POST) \S+ (abc)?/g)?.map((one) => one.slice(4)),
    ['GET / ', 'POST /b abc', 'GET / ', 'GET /last '],
  )
  assert.deepEqual(seen, [1, 1, 1, 1])
})

test('an answer without a known length goes out in chunks, and to HTTP/1.0 until the connection ends', async (t) => {
  const server = await open(t, (exchange) => {
    exchange.sendHead(200, 'OK', ['X-A', 'b'])
    exchange.write(Buffer.from('hello'))
    exchange.write(Buffer.from('world'))
    exchange.end()
  })
  const chunked = await readAll(await dial(t, server, last))
  assert.match(chunked, /^HTTP\/1\.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n/)
  assert.match(chunked, /\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n$/)
  const old = await readAll(await dial(t, server, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'))
  assert.match(old, /^HTTP\/1\.1 200 OK\r\nX-A: b\r\nConnection: close\r\n\r\nhelloworld$/)
})

test('HTTP/1.0 is kept open only where it asks for it', async (t) => {
  const server = await open(t, (exchange) => answer(exchange, 'ok'))
  assert.match(await readAll(await dial(t, server, 'GET / HTTP/1.0\r\n\r\n')), /Connection: close\r\n\r\nok$/)
  const kept = await dial(t, server, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  assert.match(await readUntil(kept, /ok$/), /Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\nok$/)
})

test('an answer to HEAD and a 204 have no body whatever is written', async (t) => {
  const server = await open(t, (exchange) => {
    const status = exchange.head.target === '/none' ? 204 : 200
    exchange.sendHead(status, 'OK', status === 200 ? ['Content-Length', '5'] : [])
    exchange.write(Buffer.from('hello'))
    exchange.end()
  })
  const none = 'GET /none HTTP/1.1\r\nHost: a\r\n\r\n'
  const text = await readAll(await dial(t, server, `HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${none}${last}`))
  assert.match(
    text,
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n[^h]*HTTP\/1\.1 204 OK\r\nConnection[^h]*HTTP\/1\.1 200/,
  )
  assert.equal(text.match(/hello/g)?.length, 1)
})

test('a client that waits to be told is told to go on when its body is wanted, and not before a refusal', async (t) => {
  const server = await open(t, (exchange) => {
    if (exchange.head.target === '/no') answer(exchange, 'refused')
    else echo(exchange)
  })
  const head = (target: string): string =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`
  const wanted = await dial(t, server, head('/yes'))
  await readUntil(wanted, /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
  wanted.write('hello')
  await readUntil(wanted, /POST \/yes hello$/)
  const refused = await readAll(await dial(t, server, head('/no')))
  assert.match(refused, /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\nrefused$/)
})

test('a client reads an early answer although it is still sending, and its connection then ends', async (t) => {
  const server = await open(t, (exchange) => answer(exchange, 'no thanks'))
  const socket = await dial(t, server, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n')
  const piece = Buffer.alloc(100_000)
  const write = (left: number): void => {
    if (left > 0) socket.write(piece, () => write(left - 1))
  }
  write(200)
  assert.match(await readAll(socket), /Connection: close\r\n\r\nno thanks$/)
})

test('what is no request gets 400, too long a head 431, and the next client is served', async (t) => {
  const server = await open(t, echo)
  const broken = await readAll(await dial(t, server, 'HELLO\r\n\r\n'))
  assert.match(broken, /^HTTP\/1\.1 400 Bad Request\r\nconnection: close/)
  assert.match(broken, /\{"error":"this is not an HTTP\/1\.1 request: no request line: [^\r]*HELLO/)
  const long = `GET / HTTP/1.1\r\nHost: a\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`
  assert.match(await readAll(await dial(t, server, long)), /^HTTP\/1\.1 431 [^]*"the head is over 32768 bytes"/)
  // The damage stands behind a good request, which is answered.
  const behind = await readAll(await dial(t, server, `${get}HELLO\r\n\r\n`))
  assert.match(behind, /^HTTP\/1\.1 200 OK[^]*GET \/ HTTP\/1\.1 400 Bad Request/)
  assert.match(await readAll(await dial(t, server, last)), /GET \/last $/)
})

test('a body that turns out to be broken gives 400 while no answer has begun, and ends an answer that has', async (t) => {
  const closed: string[] = []
  const server = await open(t, (exchange) => {
    exchange.onClose = () => closed.push(exchange.head.target)
    if (exchange.head.target === '/begun') {
      exchange.sendHead(200, 'OK', ['Content-Length', '1000'])
      exchange.write(Buffer.from('part'))
    }
    exchange.read({ data: () => undefined, end: () => assert.fail('the body is no whole') })
  })
  const bad = (target: string): string =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokx`
  assert.match(await readAll(await dial(t, server, bad('/early'))), /^HTTP\/1\.1 400 Bad Request/)
  const cut = await readAll(await dial(t, server, bad('/begun'))).catch(() => 'reset')
  assert.doesNotMatch(cut, /400 Bad/)
  assert.deepEqual(closed, ['/early', '/begun'])
})

test('a head that does not come in time gives 408, a body too, and a silent connection just ends', async (t) => {
  const server = await open(t, echo, { headTimeoutMs: 20, bodyTimeoutMs: 20 })
  const texts = await Promise.all(
    ['', 'POST / HTTP/1.1\r\nHost: a\r\n', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel'].map(
      async (text) => await readAll(await dial(t, server, text)),
    ),
  )
  assert.equal(texts[0], '')
  for (const text of texts.slice(1))
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout[^]*"the request did not arrive in time"/)
})

test('a body that nobody takes is held back, and the time for it does not run', async (t) => {
  let exchange: ClientExchange | undefined
  const server = await open(t, (begun) => (exchange = begun), { bodyTimeoutMs: 20 })
  const socket = await dial(t, server, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n')
  socket.write(Buffer.alloc(50_000_000)) // More than the system's own buffers take.
  await sleep(200)
  assert.ok(socket.writableLength > 0)
  assert.equal(exchange?.closed, false)
  assert.equal(socket.destroyed, false)
})

test('a client that leaves while it is owed an answer is noticed at once, whether it says so or not', async (t) => {
  const left: string[] = []
  const server = await open(t, (exchange) => {
    exchange.read({ data: () => undefined, end: () => undefined })
    exchange.onClose = () => left.push(exchange.head.target)
  })
  const target = (name: string): string => `GET ${name} HTTP/1.1\r\nHost: a\r\n\r\n`
  const polite = await dial(t, server, target('/fin'))
  const rude = await dial(t, server, target('/rst'))
  const midway = await dial(t, server, 'POST /mid HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel')
  while (server.inFlight < 3) await sleep(2)
  polite.end()
  rude.resetAndDestroy()
  midway.end()
  while (left.length < 3) await sleep(2)
  assert.deepEqual(left.toSorted(), ['/fin', '/mid', '/rst'])
  while (server.inFlight > 0) await sleep(2)
})

test('on close, idle connections end after the linger, answers that are owed are given, and nobody is accepted', async (t) => {
  let held: ClientExchange | undefined
  const server = await open(t, (exchange) => {
    if (exchange.head.target === '/slow') held = exchange
    else answer(exchange, 'ok')
  })
  const idle = await dial(t, server, get)
  await readUntil(idle, /ok$/)
  const late = await dial(t, server, get)
  await readUntil(late, /ok$/)
  const slow = await dial(t, server, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  while (server.inFlight < 1) await sleep(2)
  const closing = server.close(5000, 100)
  // Sent before the client could know: it is answered, and told that this was the last one.
  late.write(get)
  assert.match(await readAll(late), /Connection: close\r\n\r\nok$/)
  assert.equal(await readAll(idle), '')
  await assert.rejects(dial(t, server), { code: 'ECONNREFUSED' })
  answer(held ?? assert.fail('nothing is held'), 'at last')
  assert.match(await readAll(slow), /Connection: close\r\n\r\nat last$/)
  await closing
})

test('on close, what is still owed after the drain is cut off', async (t) => {
  const server = await open(t, () => undefined)
  const socket = await dial(t, server, get)
  while (server.inFlight === 0) await sleep(2)
  const ended = once(socket, 'close')
  await server.close(20)
  await ended
})

test('a reader that stalls holds its answer back, and gets all of it later', async (t) => {
  const body = Buffer.alloc(20_000_000, 'y')
  let sentBytes = 0
  const server = await open(t, (exchange) => {
    exchange.sendHead(200, 'OK', ['Content-Length', String(body.length)])
    const send = (): void => {
      while (sentBytes < body.length) {
        const piece = body.subarray(sentBytes, sentBytes + 65_536)
        sentBytes += piece.length
        if (!exchange.write(piece)) return
      }
      exchange.onDrain = undefined
      exchange.end()
    }
    exchange.onDrain = send
    send()
  })
  const socket = await dial(t, server)
  socket.pause()
  socket.write(last)
  await sleep(100)
  assert.ok(sentBytes > 0 && sentBytes < body.length, `${sentBytes} of ${body.length} were written`)
  const text = await readAll(socket)
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, body.length)
})

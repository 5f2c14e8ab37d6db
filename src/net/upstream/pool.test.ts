import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type RequestBody, bufferBody } from './body.ts'
import type { Exchange, UpstreamFailure } from './connection.ts'
import { renderRequestHead } from '../wire/headers.ts'
import { type UpstreamPool, type UpstreamPoolOptions, openUpstreamPool } from './pool.ts'

/** A server of bytes: `talk` gets each connection and the number it has. */
async function openPool(
  t: TestContext,
  talk: (socket: Socket, connection: number) => void,
  options: Partial<UpstreamPoolOptions> = {},
): Promise<UpstreamPool> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    talk(socket, connections++)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = openUpstreamPool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options })
  t.after(async () => {
    pool.close()
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return pool
}

interface Outcome {
  status: number | undefined
  body: string
  failure: UpstreamFailure | undefined
}

interface Sending {
  readonly method?: string
  readonly body?: RequestBody
  readonly fresh?: boolean
  readonly timeoutMs?: number
  readonly onExchange?: (exchange: Exchange) => void
  readonly onData?: (bytes: Buffer) => boolean
  readonly onEnd?: () => void
}

async function send(pool: UpstreamPool, sending: Sending = {}): Promise<Outcome> {
  const { method = 'GET', body = bufferBody(Buffer.alloc(0)), fresh = false, timeoutMs = 5000 } = sending
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const outcome: Outcome = { status: undefined, body: '', failure: undefined }
  const head = renderRequestHead({ method, target: '/', headers: ['Host', 'x'], framing: body.framing })
  const exchange = pool.send(
    { method, head, body, answerTimeoutMs: timeoutMs, stallTimeoutMs: timeoutMs },
    {
      head: ({ status }) => (outcome.status = status),
      data: (bytes) => {
        outcome.body += bytes.toString()
        return sending.onData?.(bytes) ?? true
      },
      flush: () => undefined,
      end: () => {
        sending.onEnd?.()
        resolve(outcome)
      },
      fail: (failure) => {
        outcome.failure = failure
        resolve(outcome)
      },
    },
    { fresh },
  )
  sending.onExchange?.(exchange)
  return await promise
}

const ok = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** Answers each packet: small requests arrive in one. */
const answerEach =
  (answer: (connection: number) => string) =>
  (socket: Socket, connection: number): void =>
    void socket.on('data', () => socket.write(answer(connection)))

test('a connection is kept and used again, and `fresh` leaves it alone', async (t) => {
  const pool = await openPool(
    t,
    answerEach((connection) => ok(`connection ${connection}`)),
  )
  assert.equal((await send(pool)).body, 'connection 0')
  assert.equal(pool.idle, 1)
  assert.equal((await send(pool)).body, 'connection 0')
  assert.equal((await send(pool, { fresh: true })).body, 'connection 1')
  const both = await Promise.all([send(pool), send(pool), send(pool)])
  assert.deepEqual(both.map(({ body }) => body).toSorted(), ['connection 0', 'connection 1', 'connection 2'])
})

test('no more idle connections are kept than allowed, and none that the server is about to drop', async (t) => {
  const few = await openPool(
    t,
    answerEach(() => ok('')),
    { maxIdle: 2 },
  )
  await Promise.all(Array.from({ length: 5 }, async () => await send(few)))
  assert.equal(few.idle, 2)
  const impatient = await openPool(
    t,
    answerEach(() => ok('', 'Keep-Alive: timeout=1\r\n')),
  )
  await send(impatient)
  assert.equal(impatient.idle, 0)
  const closing = await openPool(
    t,
    answerEach(() => ok('', 'Connection: close\r\n')),
  )
  await send(closing)
  assert.equal(closing.idle, 0)
})

test('head and small body arrive in one packet, a buffer with its length', async (t) => {
  const packets: string[] = []
  const pool = await openPool(t, (socket) => {
    socket.on('data', (bytes) => {
      packets.push(bytes.toString())
      socket.write(ok(''))
    })
  })
  await send(pool, { method: 'POST', body: bufferBody(Buffer.from('hello')) })
  assert.deepEqual(packets, ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'])
})

test('a body of unknown length goes out in chunks, with each write of its source', async (t) => {
  const seen = Promise.withResolvers<string>()
  const pool = await openPool(t, (socket) => {
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString()
      if (!text.endsWith('0\r\n\r\n')) return
      seen.resolve(text)
      socket.write(ok(''))
    })
  })
  const body: RequestBody = {
    framing: { kind: 'Chunked' },
    start: (sink) => {
      sink.write(Buffer.from('hello, world'))
      sink.write(Buffer.alloc(0))
      sink.write(Buffer.from('!'))
      sink.end()
    },
    resume: () => undefined,
    stop: () => undefined,
  }
  await send(pool, { method: 'POST', body })
  assert.match(await seen.promise, /Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n1\r\n!\r\n0\r\n\r\n$/)
})

test('failures tell what may be tried again', async (t) => {
  const kind = async (answer: string, options: Sending = {}): Promise<string | undefined> => {
    const pool = await openPool(t, (socket) => socket.once('data', () => void socket.end(answer)))
    return (await send(pool, options)).failure?.kind
  }
  assert.equal(await kind(''), 'NoAnswer')
  assert.equal(await kind('H'), 'Broken')
  assert.equal(await kind('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell'), 'Broken')
  assert.equal(await kind('SSH-2.0-OpenSSH\r\n\r\n'), 'Malformed')
  assert.equal(await kind('HTTP/1.1 200 OK\r\n\r\nas far as it goes'), undefined)

  const silent = await openPool(t, (socket) => void socket.resume())
  assert.equal((await send(silent, { timeoutMs: 30 })).failure?.kind, 'Late')
  const half = await openPool(t, (socket) => void socket.on('data', () => socket.write(ok('hello').slice(0, -1))))
  assert.equal((await send(half, { timeoutMs: 30 })).failure?.kind, 'Late')
  const untaken = await openPool(t, (socket) => void socket.on('data', () => socket.write(ok('x'.repeat(100_000)))))
  assert.equal((await send(untaken, { timeoutMs: 30, onData: () => false })).failure?.kind, 'ReceiverLate')

  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gone = openUpstreamPool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  server.close()
  await once(server, 'close')
  const refused = await send(gone)
  assert.equal(refused.failure?.kind, 'NotSent')
  assert.match(refused.failure?.message ?? '', /ECONNREFUSED/)
  assert.equal(gone.open, 0)
})

test('a kept connection that closes under a request says that it was an old one', async (t) => {
  const pool = await openPool(t, (socket) => {
    socket.once('data', () => {
      socket.write(ok('first'))
      socket.once('data', () => socket.destroy())
    })
  })
  assert.equal((await send(pool)).body, 'first')
  const second = await send(pool)
  assert.deepEqual([second.failure?.kind, second.failure?.reused], ['NoAnswer', true])
  assert.equal((await send(pool, { fresh: true })).body, 'first')
})

test('a server that closes or speaks on an idle connection loses it', async (t) => {
  const gone = Promise.withResolvers<void>()
  const pool = await openPool(t, (socket, connection) => {
    socket.once('data', () => {
      socket.write(ok('fine'))
      socket.once('close', () => connection === 1 && gone.resolve())
      if (connection === 0) setImmediate(() => socket.end())
      else setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'))
    })
  })
  assert.equal((await send(pool)).body, 'fine')
  assert.equal((await send(pool, { fresh: true })).body, 'fine')
  await gone.promise
  assert.equal((await send(pool)).body, 'fine')
})

test('bytes behind an answer cost the connection, not the answer', async (t) => {
  const pool = await openPool(
    t,
    answerEach(() => `${ok('fine')}HTTP/1.1 200 OK\r\n\r\n`),
  )
  assert.deepEqual(await send(pool), { status: 200, body: 'fine', failure: undefined })
  assert.equal(pool.idle, 0)
})

test('bytes behind an answer are no answer to a request that its end sets off', async (t) => {
  const pool = await openPool(
    t,
    answerEach((connection) => ok(`connection ${connection}`) + (connection === 0 ? ok('smuggled') : '')),
  )
  const second = Promise.withResolvers<Outcome>()
  const first = await send(pool, { onEnd: () => second.resolve(send(pool)) })
  assert.deepEqual([first.body, (await second.promise).body], ['connection 0', 'connection 1'])
})

test('an answer that comes before the whole request ends the connection with it', async (t) => {
  const stopped = Promise.withResolvers<void>()
  const pool = await openPool(t, (socket) => socket.once('data', () => void socket.write(ok('too much'))))
  const body: RequestBody = {
    framing: { kind: 'Length', sizeBytes: 1000 },
    start: (sink) => void sink.write(Buffer.alloc(10)),
    resume: () => undefined,
    stop: () => stopped.resolve(),
  }
  assert.equal((await send(pool, { method: 'POST', body })).body, 'too much')
  await stopped.promise
  assert.equal(pool.idle, 0)
})

test('a reader that is full stops the server, and goes on where it was', async (t) => {
  const size = 20 << 20
  const pool = await openPool(t, (socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      socket.write(Buffer.alloc(size, 'x'))
    })
  })
  let received = 0
  let exchange: Exchange | undefined
  const outcome = await send(pool, {
    onExchange: (opened) => (exchange = opened),
    onData: (bytes) => {
      received += bytes.length
      setImmediate(() => exchange?.resume())
      return false
    },
  })
  assert.deepEqual([outcome.failure, received], [undefined, size])
  assert.equal(pool.idle, 1)
})

test('a cancelled exchange closes its connection and calls nobody', async (t) => {
  const closed = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const pool = await openPool(t, (socket) => {
    socket.once('data', () => asked.resolve())
    socket.once('close', () => closed.resolve())
  })
  let called = false
  void send(pool, {
    onExchange: (exchange) => {
      void asked.promise.then(() => exchange.cancel())
    },
  }).then(() => (called = true))
  await closed.promise
  assert.equal(called, false)
})

test('a closed pool drops what is idle and lets what is busy finish', async (t) => {
  const asked = Promise.withResolvers<Socket>()
  const pool = await openPool(t, (socket, connection) => {
    socket.on('data', () => {
      if (connection === 0) asked.resolve(socket)
      else socket.write(ok('idle'))
    })
  })
  const busy = send(pool)
  await send(pool)
  assert.deepEqual([pool.idle, pool.open], [1, 2])
  const socket = await asked.promise
  pool.close()
  assert.equal(pool.idle, 0)
  socket.write(ok('finished'))
  assert.equal((await busy).body, 'finished')
  assert.equal(pool.idle, 0)
})

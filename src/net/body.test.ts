import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as openRequest } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { TowlineError } from '../base/errors.ts'
import { type BodyOptions, readBody } from './body.ts'
import { openHttpServer } from './http-server.ts'

/** A server that reads each body with `options`, says how long it was, and lets the test look at the outcome. */
async function openReader(t: TestContext, options: BodyOptions) {
  const outcomes: (Uint8Array<ArrayBuffer> | TowlineError)[] = []
  let tell = (): void => undefined
  const server = await openHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    async handle(request, response) {
      try {
        const body = await readBody(request, options)
        outcomes.push(body)
        response.end(String(body.length))
      } catch (error) {
        assert.ok(error instanceof TowlineError, String(error))
        outcomes.push(error)
        throw error
      } finally {
        tell()
      }
    },
  })
  t.after(() => server.close(0))
  return {
    port: server.port,
    outcomes,
    /** The next outcome, also where no answer can be sent. */
    async nextOutcome(begin: () => void) {
      const { promise, resolve } = Promise.withResolvers<void>()
      tell = resolve
      begin()
      await promise
      return outcomes.at(-1) ?? assert.fail()
    },
    async send(body: Uint8Array, headers: Record<string, string> = {}, chunked = false) {
      const request = openRequest({ port: server.port, host: '127.0.0.1', method: 'POST', headers })
      if (chunked) for (let at = 0; at < body.length; at += 1000) request.write(body.subarray(at, at + 1000))
      else request.setHeader('content-length', body.length)
      request.end(chunked ? undefined : body)
      const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      return { status: response.statusCode, text: Buffer.concat(chunks).toString() }
    },
  }
}

const payload = new Uint8Array(Buffer.from('towline '.repeat(500)))

test('a body comes whole, stated or chunked, plain or compressed, at the offset asked for', async (t) => {
  const reader = await openReader(t, { maxBytes: 4000, offset: 3 })
  for (const chunked of [false, true]) {
    await reader.send(payload, {}, chunked)
    await reader.send(gzipSync(payload), { 'content-encoding': 'gzip' }, chunked)
    await reader.send(deflateSync(payload), { 'content-encoding': 'deflate' }, chunked)
  }
  assert.equal(reader.outcomes.length, 6)
  for (const body of reader.outcomes) {
    assert.ok(body instanceof Uint8Array)
    assert.equal(body.byteOffset, 3)
    assert.deepEqual(body, payload)
  }
  assert.equal((await reader.send(new Uint8Array(0))).text, '0')
})

test('the buffer of a stated body comes from the allocator', async (t) => {
  const sizes: number[] = []
  const buffer = new ArrayBuffer(payload.length + 5)
  const reader = await openReader(t, {
    maxBytes: 10_000,
    offset: 5,
    allocate(sizeBytes) {
      sizes.push(sizeBytes)
      return buffer
    },
  })
  await reader.send(payload)
  assert.deepEqual(sizes, [4005])
  assert.ok(reader.outcomes[0] instanceof Uint8Array && reader.outcomes[0].buffer === buffer)
})

test('what is over the limit is answered with 413, however it is sent', async (t) => {
  const reader = await openReader(t, { maxBytes: 3999 })
  const bomb = gzipSync(Buffer.alloc(20 << 20))
  const gzip = { 'content-encoding': 'gzip' }
  assert.match((await reader.send(payload)).text, /the body has 4000 bytes, the limit is 3999 bytes/)
  for (const [body, headers, chunked] of [
    [payload, {}, true],
    [gzipSync(payload), gzip, false],
    [bomb.subarray(0, 3999), gzip, false],
  ] as const) {
    const { status, text } = await reader.send(body, headers, chunked)
    assert.equal(status, 413)
    assert.match(text, /the body has more, the limit is 3999 bytes \(raise serving\.maxBody\)/)
  }
})

test('broken and cut-off compression and unknown encodings are refused', async (t) => {
  const reader = await openReader(t, { maxBytes: 10_000 })
  const packed = gzipSync(payload)
  const damaged = Buffer.from(packed)
  damaged.writeUInt8((damaged[20] ?? 0) ^ 0xff, 20)
  for (const body of [Buffer.from('no gzip'), packed.subarray(0, 30), damaged]) {
    const { status, text } = await reader.send(body, { 'content-encoding': 'gzip' })
    assert.deepEqual([status, /the gzip data is broken/.test(text)], [400, true])
  }
  const unknown = await reader.send(payload, { 'content-encoding': 'br' })
  assert.equal(unknown.status, 415)
  assert.match(unknown.text, /content-encoding `br`; send gzip, deflate or none/)
})

for (const [name, headers, part] of [
  ['a stated body', 'content-length: 100', 'half'],
  ['a chunked body', 'transfer-encoding: chunked', '4\r\nhalf\r\n'],
  ['a compressed body', 'content-length: 100\r\ncontent-encoding: gzip', ''],
] as const) {
  test(`${name} whose connection breaks is a failure of the request, not of the process`, async (t) => {
    const reader = await openReader(t, { maxBytes: 1000 })
    const socket = connect(reader.port, '127.0.0.1')
    t.after(() => socket.destroy())
    const outcome = await reader.nextOutcome(() => {
      socket.end(`POST / HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n${part}`)
    })
    assert.ok(outcome instanceof TowlineError)
    assert.equal(outcome.code, 'TL_REQUEST_INVALID')
  })
}

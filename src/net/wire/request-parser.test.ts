import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { MalformedMessage, type RequestHead } from './message-head.ts'
import { RequestParser } from './request-parser.ts'

interface Request {
  head: RequestHead
  body: string
  ended: boolean
}

interface Reading {
  requests: Request[]
  error: string | undefined
}

/** Feeds `pieces` to one parser, which stops behind each request and is led on, as a connection does it. */
function read(pieces: readonly Buffer[], maxHeadBytes = 8192): Reading {
  const reading: Reading = { requests: [], error: undefined }
  const current = (): Request => reading.requests.at(-1) ?? assert.fail('nothing has begun')
  const parser = new RequestParser(
    {
      onHead: (head) => reading.requests.push({ head, body: '', ended: false }),
      onData: (bytes) => {
        assert.ok(bytes.length > 0)
        assert.equal(current().ended, false)
        current().body += bytes.toString('latin1')
      },
      onEnd: () => {
        assert.equal(current().ended, false)
        current().ended = true
      },
    },
    maxHeadBytes,
  )
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length;) at = parser.push(piece, at)
  } catch (error) {
    assert.ok(error instanceof MalformedMessage, `not a refusal but ${String(error)}`)
    reading.error = error.message
  }
  return reading
}

const readText = (text: string): Reading => read([Buffer.from(text, 'latin1')])

/** Cuts at these places, wherever they fall. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
}

/** What a refusal quotes may depend on how much of the input was there; that it is refused may not. */
const comparable = ({ requests, error }: Reading): unknown => ({ requests, refused: error !== undefined })

const places = fc.array(fc.nat(100_000), { maxLength: 12 })

test('a request with a length, chunks or no body is read, and the one behind it', () => {
  const { requests, error } = readText(
    'POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello' +
      '\r\nPUT /c HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n002\r\nlo\r\n0\r\nDigest: x\r\n\r\n' +
      'GET * HTTP/1.1\r\nHOST:\r\n\r\n',
  )
  assert.equal(error, undefined)
  assert.deepEqual(
    requests.map(({ head: { method, target, headers }, body, ended }) => ({ method, target, headers, body, ended })),
    [
      { method: 'POST', target: '/a?b', headers: ['Host', 'x', 'Content-Length', '5'], body: 'hello', ended: true },
      {
        method: 'PUT',
        target: '/c',
        headers: ['host', 'x', 'Transfer-Encoding', 'Chunked'],
        body: 'hello',
        ended: true,
      },
      { method: 'GET', target: '*', headers: ['HOST', ''], body: '', ended: true },
    ],
  )
})

test('whether the client goes on, and whether it waits to be told, follows from version and headers', () => {
  const facts = (text: string): unknown => {
    const head = readText(`${text}\r\n\r\n`).requests[0]?.head
    return [head?.keepAlive, head?.oldVersion, head?.expectsContinue]
  }
  assert.deepEqual(facts('GET / HTTP/1.1\r\nHost: x'), [true, false, false])
  assert.deepEqual(facts('GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close'), [false, false, false])
  assert.deepEqual(facts('GET / HTTP/1.0'), [false, true, false])
  assert.deepEqual(facts('GET / HTTP/1.0\r\nConnection: Keep-Alive'), [true, true, false])
  assert.deepEqual(facts('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 1'), [true, false, true])
  assert.deepEqual(facts('PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1'), [false, true, false])
})

test('every shape that two readers could frame differently is refused', () => {
  const post = 'POST / HTTP/1.1\r\nHost: x\r\n'
  const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`
  for (const text of [
    // Framing
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`,
    `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    `${post}Content-Length: 5, 5\r\n\r\nhello`,
    `${post}Content-Length: +5\r\n\r\nhello`,
    `${post}Content-Length: -1\r\n\r\n`,
    `${post}Content-Length: 0x5\r\n\r\nhello`,
    `${post}Content-Length:\r\n\r\n`,
    `${post}Content-Length: 9999999999999999\r\n\r\n`,
    `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding:\r\n\r\n`,
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    // Headers
    `${post}Content-Length : 5\r\n\r\nhello`,
    `${post} Content-Length: 5\r\n\r\nhello`,
    `${post}A: b\r\n folded\r\n\r\n`,
    `${post}A: b\nContent-Length: 5\r\n\r\nhello`,
    `${post}A: b\rContent-Length: 5\r\n\r\nhello`,
    `${post}A: b\x00\r\n\r\n`,
    `${post}A\r\n\r\n`,
    `${post}: b\r\n\r\n`,
    `${post}${'a: b\r\n'.repeat(300)}\r\n`,
    `${post}Host: y\r\n\r\n`,
    'POST / HTTP/1.1\r\n\r\n',
    `${post}Expect: payment\r\n\r\n`,
    // Request line
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'get / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /  HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / a HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1 \r\nHost: x\r\n\r\n',
    'GET / HTTP/2.0\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.10\r\nHost: x\r\n\r\n',
    'GET /\r\n\r\n',
    ' GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET / HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
    // Chunks
    `${chunked}5\nhello\r\n0\r\n\r\n`,
    `${chunked}5 \r\nhello\r\n0\r\n\r\n`,
    `${chunked}0x5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}-5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}ffffffffffffff\r\n`,
    `${chunked}5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`,
    `${chunked}4\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5\r\nhello\n0\r\n\r\n`,
    `${chunked}0\r\nbad trailer\r\n\r\n`,
  ]) {
    const reading = readText(text)
    assert.notEqual(reading.error, undefined, `accepted: ${JSON.stringify(text.slice(0, 200))}`)
    assert.notEqual(reading.requests[0]?.ended, true, `taken as whole: ${JSON.stringify(text.slice(0, 200))}`)
  }
})

test('a head is refused at exactly the limit, however it is split', () => {
  const head = (sizeBytes: number): Buffer => {
    const frame = 'GET / HTTP/1.1\r\nHost: \r\n\r\n'
    return Buffer.from(frame.replace('Host: ', `Host: ${'x'.repeat(sizeBytes - frame.length)}`))
  }
  for (const step of [1, 7, 255, 256, 1000]) {
    const pieces = (bytes: Buffer): Buffer[] =>
      Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
        bytes.subarray(index * step, (index + 1) * step),
      )
    assert.equal(read(pieces(head(256)), 256).error, undefined)
    assert.match(read(pieces(head(257)), 256).error ?? '', /over 256 bytes/)
    assert.match(read(pieces(Buffer.alloc(5000, 'x')), 256).error ?? '', /over 256 bytes/)
  }
})

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).map((name) => `X-${name}`)
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

interface Sample {
  readonly wire: Buffer
  readonly seen: { readonly method: string; readonly target: string; readonly body: string }
  readonly headers: readonly string[]
}

const sample: fc.Arbitrary<Sample> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
    target: fc.stringMatching(/^\/[!-~]{0,20}$/),
    headers: fc.array(fc.tuple(token, value), { maxLength: 5 }),
    parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { maxLength: 4 }),
    framing: fc.constantFrom('Length', 'Chunked', 'None'),
  })
  .map(({ method, target, headers, parts, framing }) => {
    const body = framing === 'None' ? Buffer.alloc(0) : Buffer.concat(parts)
    const all: [string, string][] = [['Host', 'x'], ...headers]
    if (framing === 'Length') all.push(['Content-Length', String(body.length)])
    if (framing === 'Chunked') all.push(['Transfer-Encoding', 'chunked'])
    const head = `${method} ${target} HTTP/1.1\r\n${all.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`
    const coded = Buffer.concat([
      ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
      Buffer.from('0\r\n\r\n'),
    ])
    return {
      wire: Buffer.concat([Buffer.from(head, 'latin1'), framing === 'Chunked' ? coded : body]),
      seen: { method, target, body: body.toString('latin1') },
      headers: all.flat(),
    }
  })

test('whatever is written well is read back the same over any split, one request after the other', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 3 }), places, (samples, where) => {
      const { requests, error } = read(cut(Buffer.concat(samples.map(({ wire }) => wire)), where))
      assert.equal(error, undefined)
      assert.deepEqual(
        requests.map(({ head: { method, target, headers }, body, ended }) => ({
          seen: { method, target, body },
          headers,
          ended,
        })),
        samples.map(({ seen, headers }) => ({ seen, headers, ended: true })),
      )
    }),
    { numRuns: 200 },
  )
})

/** What readers of HTTP are known to disagree about. */
const blows = ['\0', '\n', '\r', '\r\n', '\r\n\r\n', ' ', '\t', ':', ';', ',', '0', '5', 'c', '\x0b', '\xff'].concat(
  ['HTTP/1.1', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', '\r\nTransfer-Encoding : chunked'],
  ['0\r\n\r\n', 'chunked', 'Connection: close\r\n', '5;a="\r\n"\r\n', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
)

/** Requests that were good until some of their bytes were changed, doubled or lost. */
const damaged: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(sample, { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.record({
        place: fc.nat(2000),
        lost: fc.nat(3),
        given: fc.constantFrom(...blows),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([samples, changes]) => {
    let bytes = Buffer.concat(samples.map(({ wire }) => wire))
    for (const { place, lost, given } of changes) {
      const at = place % (bytes.length + 1)
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(given, 'latin1'), bytes.subarray(at + lost)])
    }
    return bytes
  })

test('good requests with bytes damaged are read the same, or refused the same, over any split', () => {
  fc.assert(
    fc.property(damaged, places, (bytes, where) => {
      assert.deepEqual(comparable(read(cut(bytes, where))), comparable(read([bytes])))
    }),
    { numRuns: 500 },
  )
})

test('random bytes are refused or read, the same over any split, and nothing else happens', () => {
  const alphabet = fc.constantFrom(
    ...Buffer.from(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3Transfer-Encoding: chunked\r\n\r\n;aF0\x00\xff',
      'latin1',
    ),
  )
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(alphabet, { maxLength: 400 }).map((codes) => Uint8Array.from(codes)),
    fc
      .array(alphabet, { maxLength: 200 })
      .map((codes) =>
        Buffer.from([...Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'), ...codes]),
      ),
  )
  fc.assert(
    fc.property(noise, places, (bytes, where) => {
      const whole = Buffer.from(bytes)
      assert.deepEqual(comparable(read(cut(whole, where), 128)), comparable(read([whole], 128)))
    }),
    { numRuns: 500 },
  )
})

interface Seen {
  readonly method: string
  readonly target: string
  readonly body: string
  readonly ended: boolean
}

/** What Node's own server makes of the same bytes: the requests that began, and the code of its refusal. */
async function readWithNode(bytes: Buffer): Promise<{ requests: Seen[]; refusal: string | undefined }> {
  const seen: { method: string; target: string; chunks: Buffer[]; ended: boolean }[] = []
  let refusal: string | undefined
  const server = createServer({ requireHostHeader: true }, (request, response) => {
    const one = { method: request.method ?? '', target: request.url ?? '', chunks: [] as Buffer[], ended: false }
    seen.push(one)
    request.on('data', (chunk: Buffer) => one.chunks.push(chunk)).on('end', () => (one.ended = true))
    request.on('error', () => undefined)
    response.end()
  })
  const stream = new Duplex({ read: () => undefined, write: (_, __, done) => done() })
  stream.on('error', () => undefined)
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    refusal ??= error.code
    stream.destroy()
  })
  server.emit('connection', stream)
  stream.push(bytes)
  stream.push(null)
  if (!stream.closed) await once(stream, 'close')
  // The last reading streams tell their end a moment later.
  await new Promise(setImmediate)
  const requests = seen.map(({ method, target, chunks, ended }) => {
    return { method, target, body: Buffer.concat(chunks).toString('latin1'), ended }
  })
  return { requests, refusal }
}

test("requests that are accepted here are framed the same by Node's own parser, or refused by it", async () => {
  let same = 0
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      const ours = read([bytes]).requests.filter(({ ended }) => ended)
      const node = await readWithNode(bytes)
      for (const [index, { head, body }] of ours.entries()) {
        const theirs = node.requests[index]
        // It stops reading where a request said that it is the last.
        if (theirs === undefined && ours[index - 1]?.head.keepAlive === false) return
        const text = JSON.stringify(bytes.toString('latin1'))
        if (theirs?.ended !== true) {
          assert.notEqual(node.refusal, undefined, `neither read nor refused: ${text}`)
          assert.ok(body.startsWith(theirs?.body ?? ''), `other bytes: ${text}`)
          return
        }
        const { method, target } = head
        assert.deepEqual({ method, target, body, ended: true }, theirs, text)
        same++
      }
    }),
    { numRuns: 1500 },
  )
  assert.ok(same > 1000, `${same} were read the same`)
})

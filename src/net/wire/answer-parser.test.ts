import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MalformedMessage } from './message-head.ts'
import { AnswerParser } from './answer-parser.ts'

interface Reading {
  answers: {
    status: number
    reason: string
    headers: readonly string[]
    body: string
    ended: boolean
    keepAlive: boolean
  }[]
  error: string | undefined
}

/** Feeds `pieces` to a parser that expects an answer to each of `methods` in turn. */
function read(pieces: readonly Buffer[], { methods = ['POST'], close = true, maxHeadBytes = 8192 } = {}): Reading {
  const reading: Reading = { answers: [], error: undefined }
  const left = [...methods]
  const parser: AnswerParser = new AnswerParser(
    {
      onHead: ({ status, reason, headers, keepAlive }) => {
        reading.answers.push({ status, reason, headers, body: '', ended: false, keepAlive })
      },
      onData: (bytes) => {
        const last = reading.answers.at(-1) ?? assert.fail('data before a head')
        assert.ok(bytes.length > 0)
        assert.equal(last.ended, false)
        last.body += bytes.toString('latin1')
      },
      onEnd: () => {
        const last = reading.answers.at(-1) ?? assert.fail('an end before a head')
        assert.equal(last.ended, false)
        last.ended = true
        const next = left.shift()
        if (next !== undefined) parser.expect(next)
      },
    },
    maxHeadBytes,
  )
  parser.expect(left.shift() ?? 'GET')
  try {
    for (const piece of pieces) parser.push(piece)
    if (close) parser.end()
  } catch (error) {
    assert.ok(error instanceof MalformedMessage, `not a refusal but ${String(error)}`)
    reading.error = error.message
  }
  return reading
}

const readText = (text: string, options?: Parameters<typeof read>[1]): Reading =>
  read([Buffer.from(text, 'latin1')], options)

/** Cuts at these places, wherever they fall. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
}

/** What a refusal quotes may depend on how much of the input was there; that it is refused may not. */
const comparable = ({ answers, error }: Reading): unknown => ({ answers, refused: error !== undefined })

const places = fc.array(fc.nat(100_000), { maxLength: 12 })

test('an answer with a length, chunks, or nothing but the end of the connection is read', () => {
  const length = readText('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  assert.deepEqual(length, {
    answers: [
      {
        status: 200,
        reason: 'OK',
        headers: ['Content-Length', '5'],
        body: 'hello',
        ended: true,
        keepAlive: true,
      },
    ],
    error: undefined,
  })
  const chunked = readText(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n002\r\nlo\r\n0\r\nDigest: x\r\n\r\n',
  )
  assert.deepEqual([chunked.answers[0]?.body, chunked.answers[0]?.ended], ['hello', true])
  const untilClose = readText('HTTP/1.1 200\r\n\r\nhello')
  assert.deepEqual([untilClose.answers[0]?.body, untilClose.answers[0]?.keepAlive], ['hello', false])
  assert.equal(readText('HTTP/1.1 200\r\n\r\nhello', { close: false }).answers[0]?.ended, false)
})

test('headers keep their spelling, order and repetitions, and lose only the blanks around values', () => {
  const { answers } = readText('HTTP/1.1 200 OK\r\nX-b: \t 1 2 \r\nx-B:\r\nA:\xa0é\r\nContent-Length: 0\r\n\r\n')
  assert.deepEqual(answers[0]?.headers, ['X-b', '1 2', 'x-B', '', 'A', '\xa0é', 'Content-Length', '0'])
})

test('answers to HEAD, 204 and 304 have no body whatever their headers say', () => {
  const head = 'Content-Length: 5\r\n\r\n'
  for (const [text, method] of [
    [`HTTP/1.1 200 OK\r\n${head}`, 'HEAD'],
    [`HTTP/1.1 204 No Content\r\n${head}`, 'GET'],
    [`HTTP/1.1 304 Not Modified\r\n${head}`, 'GET'],
  ] as const) {
    const reading = readText(text, { methods: [method], close: false })
    assert.deepEqual([reading.answers[0]?.ended, reading.answers[0]?.body], [true, ''])
  }
})

test('1xx answers are passed over, but not without end, and never 101', () => {
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  const news = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'
  assert.deepEqual(readText(`HTTP/1.1 100 Continue\r\n\r\n${news}${final}`).answers.length, 1)
  assert.match(readText(news.repeat(100) + final).error ?? '', /too many 1xx/)
  assert.match(readText('HTTP/1.1 101 Switching Protocols\r\n\r\n').error ?? '', /switched/)
})

test('whether a connection stays open follows from version, connection header and framing', () => {
  const keeps = (text: string): boolean | undefined => readText(text).answers[0]?.keepAlive
  assert.equal(keeps('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), true)
  assert.equal(keeps('HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n'), false)
  assert.equal(keeps('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'), false)
  assert.equal(keeps('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n'), true)
  assert.equal(keeps('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n'), false)
})

test('every shape that two readers could frame differently is refused', () => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
  for (const text of [
    // Framing
    `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    `${ok}Content-Length: 5, 5\r\n\r\nhello`,
    `${ok}Content-Length: +5\r\n\r\nhello`,
    `${ok}Content-Length: -1\r\n\r\n`,
    `${ok}Content-Length: 0x5\r\n\r\nhello`,
    `${ok}Content-Length: 5 5\r\n\r\nhello`,
    `${ok}Content-Length:\r\n\r\n`,
    `${ok}Content-Length: 9999999999999999\r\n\r\n`,
    `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${ok}Transfer-Encoding: identity\r\n\r\n`,
    `${ok}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    // Header lines
    `${ok}Content-Length : 5\r\n\r\nhello`,
    `${ok} Content-Length: 5\r\n\r\nhello`,
    `${ok}A: b\r\n folded\r\n\r\n`,
    `${ok}A: b\r\n\tfolded\r\n\r\n`,
    `${ok}A: b\nContent-Length: 0\r\n\r\n`,
    `${ok}A: b\rContent-Length: 0\r\n\r\n`,
    `${ok}A: b\x00\r\n\r\n`,
    `${ok}A\r\n\r\n`,
    `${ok}: b\r\n\r\n`,
    `${ok}Ä: b\r\n\r\n`,
    `${ok}${'a: b\r\n'.repeat(300)}\r\n`,
    // Status line
    'HTTP/1.1 99 Low\r\n\r\n',
    'HTTP/1.1 600 High\r\n\r\n',
    'HTTP/1.1 0200 OK\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200\tOK\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    '\r\n\r\n',
    // Chunks
    `${chunked}5\nhello\r\n0\r\n\r\n`,
    `${chunked}5 \r\nhello\r\n0\r\n\r\n`,
    `${chunked} 5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}0x5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}+5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}-5\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5_0\r\n`,
    `${chunked}\r\n`,
    `${chunked};a\r\nhello\r\n`,
    `${chunked}ffffffffffffff\r\n`,
    `${chunked}00000000000005\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`,
    `${chunked}4\r\nhello\r\n0\r\n\r\n`,
    `${chunked}5\r\nhello0\r\n\r\n`,
    `${chunked}5\r\nhello\n0\r\n\r\n`,
    `${chunked}0\r\nbad trailer\r\n\r\n`,
    `${chunked}0\r\n a: folded\r\n\r\n`,
    `${chunked}0\r\n${'a: b\r\n'.repeat(2000)}\r\n`,
  ]) {
    const reading = readText(text)
    assert.notEqual(reading.error, undefined, `accepted: ${JSON.stringify(text)}`)
    assert.notEqual(reading.answers[0]?.ended, true, `taken as whole: ${JSON.stringify(text.slice(0, 200))}`)
  }
})

test('an answer cut off by the end of the connection is never taken as whole', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r',
    'HTTP/1.1 100 Continue\r\n\r\n',
    '',
  ]) {
    const reading = readText(text)
    assert.match(reading.error ?? '', /ended within/)
    assert.notEqual(reading.answers[0]?.ended, true)
  }
})

test('bytes after the end of an answer are refused, and the answer before them stands', () => {
  const reading = readText('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n')
  assert.deepEqual([reading.answers.length, reading.answers[0]?.body, reading.answers[0]?.ended], [1, 'ok', true])
  assert.match(reading.error ?? '', /19 bytes came after the end/)
})

test('a head is refused at exactly the limit, however it is split', () => {
  const head = (sizeBytes: number): Buffer => {
    const frame = 'HTTP/1.1 204 No\r\nA: \r\n\r\n'
    return Buffer.from(frame.replace('A: ', `A: ${'x'.repeat(sizeBytes - frame.length)}`))
  }
  for (const step of [1, 7, 255, 256, 1000]) {
    const pieces = (bytes: Buffer): Buffer[] =>
      Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
        bytes.subarray(index * step, (index + 1) * step),
      )
    assert.equal(read(pieces(head(256)), { maxHeadBytes: 256 }).error, undefined)
    assert.match(read(pieces(head(257)), { maxHeadBytes: 256 }).error ?? '', /over 256 bytes/)
    assert.match(read(pieces(Buffer.alloc(5000, 'x')), { maxHeadBytes: 256 }).error ?? '', /over 256 bytes/)
  }
})

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).map((name) => `X-${name}`)
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)
const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 5 })

interface Sample {
  readonly wire: Buffer
  readonly body: string
  readonly headers: readonly string[]
}

const sample: fc.Arbitrary<Sample> = fc
  .record({
    headers: fc.array(fc.tuple(token, value), { maxLength: 6 }),
    parts: bodies,
    chunked: fc.boolean(),
    hints: fc.nat(3),
    upper: fc.boolean(),
  })
  .map(({ headers, parts, chunked, hints, upper }) => {
    const body = Buffer.concat(parts)
    const framing: [string, string] = chunked
      ? ['Transfer-Encoding', 'chunked']
      : ['Content-Length', String(body.length)]
    const all = [...headers, framing]
    const head = `HTTP/1.1 200 Fine\r\n${all.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`
    const size = (part: Uint8Array): string => {
      const digits = part.length.toString(16)
      return upper ? digits.toUpperCase() : digits
    }
    const coded = Buffer.concat([
      ...parts.flatMap((part) => [Buffer.from(`${size(part)}\r\n`), part, Buffer.from('\r\n')]),
      Buffer.from('0\r\n\r\n'),
    ])
    const wire = Buffer.concat([
      Buffer.from('HTTP/1.1 103 Hint\r\n\r\n'.repeat(hints)),
      Buffer.from(head, 'latin1'),
      chunked ? coded : body,
    ])
    return { wire, body: body.toString('latin1'), headers: all.flat() }
  })

test('whatever is written well is read back the same over any split, one answer after the other', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 3 }), places, (samples, where) => {
      const wire = Buffer.concat(samples.map((one) => one.wire))
      const { answers, error } = read(cut(wire, where), { methods: samples.map(() => 'POST') })
      assert.equal(error, undefined)
      assert.deepEqual(
        answers.map(({ body, headers, ended }) => ({ body, headers, ended })),
        samples.map(({ body, headers }) => ({ body, headers, ended: true })),
      )
    }),
    { numRuns: 200 },
  )
})

test('a good answer with bytes damaged is read the same, or refused the same, over any split', () => {
  const damage = fc.array(fc.tuple(fc.nat(2000), fc.constantFrom(0, 10, 13, 32, 48, 58, 59, 99, 255)), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(sample, damage, places, ({ wire }, blows, where) => {
      const bytes = Buffer.from(wire)
      for (const [place, byte] of blows) bytes[place % bytes.length] = byte
      assert.deepEqual(comparable(read(cut(bytes, where))), comparable(read([bytes])))
    }),
    { numRuns: 400 },
  )
})

test('random bytes are refused or read, the same over any split, and nothing else happens', () => {
  const alphabet = fc.constantFrom(
    ...Buffer.from('HTTP/1. 200\r\nContent-Length: 3Transfer-Encoding: chunked\r\n;aF0\x00\xff'),
  )
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(alphabet, { maxLength: 400 }).map((codes) => Uint8Array.from(codes)),
    fc
      .array(alphabet, { maxLength: 200 })
      .map((codes) =>
        Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), Buffer.from(codes)]),
      ),
  )
  fc.assert(
    fc.property(noise, places, (bytes, where) => {
      const whole = Buffer.from(bytes)
      const options = { maxHeadBytes: 128 }
      assert.deepEqual(comparable(read(cut(whole, where), options)), comparable(read([whole], options)))
    }),
    { numRuns: 500 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TowlineError } from '../base/errors.ts'
import {
  bytesOf,
  failureOf,
  floats,
  model,
  only,
  parse,
  request,
  text,
  utf8,
  withBinary,
  x,
} from '../../test/kit/infer-request-rig.ts'
import { alignBodyOffset } from './infer-request.ts'
import { renderInferResponse } from './infer-response.ts'
import type { Datatype } from './tensor.ts'

const spelling = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toPrecision(20)),
  fc.integer().map(String),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.stringMatching(/^(?:\.[0-9]{1,25})?$/),
      fc.constantFrom('', 'e0', 'E+5', 'e-7', 'e-22', 'e22', 'e-60', 'E-330', 'e-345', 'e-45'),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom('-0', '-0.0', '5e-324', '-4.9e-324', '1e-45', '1.1754942106924411e-38', '3.4028234663852886e38'),
  // On, just under and just over the middle between two neighbouring singles and doubles.
  fc.constantFrom('16777217', '16777217.0000001', '9007199254740993', '9007199254740993.0000000000000000000001'),
)
const space = fc.constantFrom('', ' ', '\n\t')

for (const [datatype, create, limit] of [
  ['FP32', (values: number[]) => Float32Array.from(values), 3.4028235677973366e38],
  ['FP64', (values: number[]) => Float64Array.from(values), Infinity],
] as const) {
  test(`JSON numbers become ${datatype} bit for bit as JSON.parse reads them, flat and nested`, () => {
    const signature = model(['x', datatype, [-1, -1]])
    const rows = fc.array(fc.tuple(spelling, spelling), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(rows, space, fc.boolean(), (pairs, gap, nested) => {
        const within = pairs.map((pair) => pair.map((word) => (Math.abs(Number(word)) < limit ? word : '0')))
        const inner = within.map((pair) => pair.join(`${gap},`))
        const data = `[${gap}${nested ? inner.map((row) => `[${row}${gap}]`).join(',') : inner.join(',')}]`
        const tensor = only(parse(request(datatype, [pairs.length, 2], data), signature))
        const expected = create((JSON.parse(data) as (number | number[])[]).flat())
        assert.deepEqual(bytesOf(tensor), Buffer.from(expected.buffer))
      }),
      { numRuns: 300 },
    )
  })
}

test('64-bit integers keep every digit, and narrow ones accept whole numbers in any spelling', () => {
  const wide = fc.array(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(wide, (values) => {
      const { data } = only(
        parse(request('INT64', [values.length], `[${values.join(',')}]`), model(['x', 'INT64', [-1]])),
      )
      assert.deepEqual([...data], values)
    }),
    { numRuns: 100 },
  )
  const unsigned = parse(request('UINT64', [2], '[18446744073709551615,-0]'), model(['x', 'UINT64', [-1]]))
  assert.deepEqual([...only(unsigned).data], [18_446_744_073_709_551_615n, 0n])
  const narrow = parse(request('INT32', [4], '[1.0,2e3,-2147483648,25e-1e]'.replace('25e-1e', '0.5e1')), {
    ...model(['x', 'INT32', [-1]]),
  })
  assert.deepEqual([...only(narrow).data], [1, 2000, -2_147_483_648, 5])
  assert.match(failureOf(() => parse(request('INT32', [1], '[2.5]'), model(['x', 'INT32', [-1]]))).detail, /`2.5`/)
})

test('booleans and strings are read, nested or flat', () => {
  assert.deepEqual(
    [...only(parse(request('BOOL', [2, 1], '[[true],[false]]'), model(['x', 'BOOL', [-1, 1]]))).data],
    [1, 0],
  )
  const words = ['', 'a"]', 'żółć', '\u0000\n', '𝒳']
  for (const data of [JSON.stringify(words), JSON.stringify(words.map((word) => [word]))])
    assert.deepEqual(only(parse(request('BYTES', [5, 1], data), model(['x', 'BYTES', [-1, 1]]))).data, words)
})

const numeric = ['UINT8', 'INT16', 'UINT32', 'INT64', 'FP16', 'BF16', 'FP32', 'FP64'] as const
const widths = { UINT8: 1, INT16: 2, UINT32: 4, INT64: 8, FP16: 2, BF16: 2, FP32: 4, FP64: 8 } as const

test('what is rendered in binary is read back byte for byte, wherever it lies in its buffer', () => {
  const one = fc.constantFrom(...numeric).chain((datatype) =>
    fc.record({
      datatype: fc.constant(datatype),
      bytes: fc
        .array(fc.uint8Array({ minLength: widths[datatype], maxLength: widths[datatype] }), {
          minLength: 1,
          maxLength: 5,
        })
        .map((elements) => Buffer.concat(elements)),
    }),
  )
  const words = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 3 }), words, fc.nat(7), (tensors, strings, offset) => {
      const signature = model(
        ['s', 'BYTES', [-1]],
        ...tensors.map(({ datatype }, at): [string, Datatype, number[]] => [`n${at}`, datatype, [-1]]),
      )
      const encoded = strings.map((word) => {
        const bytes = Buffer.from(word)
        const length = Buffer.alloc(4)
        length.writeUInt32LE(bytes.length)
        return Buffer.concat([length, bytes])
      })
      const parts = [Buffer.concat(encoded), ...tensors.map(({ bytes }) => bytes)]
      const heads = signature.inputs.map(({ name, datatype }, at) => {
        const size = parts[at]?.length ?? 0
        const count = datatype === 'BYTES' ? strings.length : size / widths[datatype as (typeof numeric)[number]]
        return { name, datatype, shape: [count], parameters: { binary_data_size: size } }
      })
      const [body, headerLength] = withBinary(JSON.stringify({ inputs: heads }), ...parts)
      const placed = new Uint8Array(new ArrayBuffer(offset + body.length), offset)
      placed.set(body)
      const { inputs } = parse(placed, signature, headerLength)
      assert.deepEqual(inputs[0]?.data, strings)
      tensors.forEach(({ bytes }, at) => assert.deepEqual(bytesOf(inputs[at + 1] ?? assert.fail()), bytes))
      const again = { id: 'i', inputs, outputs: undefined, binaryOutput: true }
      const { chunks } = renderInferResponse({ modelName: 'm', request: again, outputs: inputs })
      assert.deepEqual(Buffer.concat(chunks.slice(1)), Buffer.concat(parts))
    }),
    { numRuns: 150 },
  )
})

test('a body placed as asked is read without a copy', () => {
  const [body, headerLength] = withBinary(x('"parameters":{"binary_data_size":8}'), new Uint8Array(8))
  const offset = alignBodyOffset(headerLength)
  const placed = new Uint8Array(new ArrayBuffer(offset + body.length), offset)
  placed.set(body)
  const { data } = only(parse(placed, floats, headerLength))
  assert.ok('buffer' in data && data.buffer === placed.buffer)
})

test('a raw body is the one input, its open dimension as long as the bytes say', () => {
  const raw = new Uint8Array(Float32Array.of(1, 2, 3).buffer)
  const row = parse(raw, model(['x', 'FP32', [-1, 3]]), 0)
  assert.deepEqual([only(row).shape, [...only(row).data], row.binaryOutput], [[1, 3], [1, 2, 3], true])
  assert.deepEqual(only(parse(raw, model(['x', 'FP32', [-1, -1]]), 0)).shape, [1, 3])
  const word = parse(Uint8Array.of(2, 0, 0, 0, 104, 105), text, 0)
  assert.deepEqual([only(word).shape, only(word).data], [[1], ['hi']])
})

test('hundreds of thousands of brackets are refused, not recursed into', () => {
  const deep = '['.repeat(250_000)
  const closed = deep + ']'.repeat(250_000)
  for (const value of [deep, closed, '{"a":'.repeat(250_000)])
    for (const body of [
      value,
      `{"id":${value}}`,
      `{"outputs":${value}}`,
      `{"parameters":${value}}`,
      x(`"data":${value}`),
    ])
      failureOf(() => parse(body))
  failureOf(() => parse(request('BYTES', [1], closed), text))
  failureOf(() => parse(`{"inputs":[{"shape":${closed}}]}`))
})

test('whatever bytes come, the answer is a request or a TowlineError', () => {
  const signature = model(['x', 'FP32', [-1, 2]], ['s', 'BYTES', [-1]], ['i', 'INT64', [1]])
  const [seed, headerLength] = withBinary(
    '{"id":"a","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1.5,-2e3]]},' +
      '{"name":"s","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}},' +
      '{"name":"i","shape":[1],"datatype":"INT64","data":[9007199254740993]}],' +
      '"outputs":[{"name":"y","parameters":{"binary_data":true}}],"parameters":{"binary_data_output":false}}',
    Uint8Array.of(1, 0, 0, 0, 97),
  )
  parse(seed, signature, headerLength)
  const attempt = (body: Uint8Array<ArrayBuffer>, length: number | undefined): void => {
    try {
      parse(body, signature, length)
    } catch (error) {
      assert.ok(error instanceof TowlineError, String(error))
    }
  }
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => attempt(new Uint8Array(bytes), undefined)),
    { numRuns: 200 },
  )
  const edit = fc.record({ at: fc.nat(seed.length - 1), cut: fc.nat(4), put: fc.uint8Array({ maxLength: 3 }) })
  const syntax = fc.constantFrom(...'[]{}",:0-.e\\'.split('').map((character) => utf8(character)))
  const mutation = fc.tuple(edit, fc.oneof(fc.constant(undefined), syntax))
  const length = fc.oneof(fc.constant(headerLength), fc.nat(seed.length), fc.constant(undefined))
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), length, (edits, stated) => {
      let body = Buffer.from(seed)
      for (const [{ at, cut, put }, token] of edits)
        body = Buffer.concat([body.subarray(0, at), token ?? put, body.subarray(at + cut)])
      attempt(new Uint8Array(body), stated)
    }),
    { numRuns: 1500 },
  )
})

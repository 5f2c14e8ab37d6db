import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { renderInferResponse } from './infer-response.ts'
import type { InferRequest, RequestedOutput, Tensor } from './tensor.ts'

const fp32 = (name: string, shape: readonly number[], ...values: readonly number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
})

const wanted = (name: string, more: Partial<RequestedOutput> = {}): RequestedOutput => ({
  name,
  binary: undefined,
  classification: 0,
  ...more,
})

interface Asked extends Partial<Pick<InferRequest, 'outputs' | 'binaryOutput'>> {
  readonly labels?: readonly string[]
}

function render(outputs: readonly Tensor[], { labels, ...asked }: Asked = {}) {
  const request: InferRequest = { id: 'r"1', inputs: [], outputs: undefined, binaryOutput: false, ...asked }
  const answer = renderInferResponse({ modelName: 'm', request, outputs, ...(labels === undefined ? {} : { labels }) })
  const body = Buffer.concat(answer.chunks)
  const length = Number(answer.headers['inference-header-content-length'] ?? body.length)
  const text = body.toString('utf8', 0, length)
  assert.equal(answer.headers['content-length'], body.length)
  const json = JSON.parse(text) as { id: string; model_name: string; outputs: Record<string, unknown>[] }
  return { headers: answer.headers, text, json, binary: body.subarray(length) }
}

test('an answer names its model and request, and numbers without a JSON form become null', () => {
  const { json, headers } = render([fp32('y', [4], 1.5, Number.NaN, Infinity, -Infinity)])
  assert.deepEqual(json, {
    model_name: 'm',
    id: 'r"1',
    outputs: [{ name: 'y', datatype: 'FP32', shape: [4], data: [1.5, null, null, null] }],
  })
  assert.equal(headers['content-type'], 'application/json')
})

test('64-bit integers, booleans and strings are written as they are', () => {
  const { text } = render([
    { name: 'i', datatype: 'INT64', shape: [2], data: BigInt64Array.of(9_007_199_254_740_993n, -(1n << 63n)) },
    { name: 'u', datatype: 'UINT64', shape: [1], data: BigUint64Array.of((1n << 64n) - 1n) },
    { name: 'b', datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    { name: 's', datatype: 'BYTES', shape: [1], data: ['ż"'] },
    { name: 'none', datatype: 'INT64', shape: [1, 0], data: new BigInt64Array(0) },
    { name: 'scalar', datatype: 'FP64', shape: [], data: Float64Array.of(0.1) },
  ])
  assert.match(text, /"data":\[9007199254740993,-9223372036854775808\]/)
  assert.match(text, /"data":\[18446744073709551615\]/)
  assert.match(text, /"data":\[true,false\]/)
  assert.match(text, /"data":\["ż\\""\]/)
  assert.match(text, /"shape":\[1,0\],"data":\[\]/)
  assert.match(text, /"shape":\[\],"data":\[0\.1\]/)
})

test('what one output asks for goes before what the request asks for all', () => {
  const outputs = [fp32('a', [1], 1), fp32('b', [2], 2, 3), fp32('c', [1], 4)]
  const asked = [wanted('a'), wanted('b', { binary: true }), wanted('c', { binary: false })]
  const some = render(outputs, { outputs: asked })
  assert.deepEqual(some.json.outputs[0]?.['data'], [1])
  assert.deepEqual(some.json.outputs[1]?.['parameters'], { binary_data_size: 8 })
  assert.deepEqual(some.binary, Buffer.from(Float32Array.of(2, 3).buffer))
  assert.equal(some.headers['content-type'], 'application/octet-stream')
  const others = render(outputs, { outputs: asked, binaryOutput: true })
  assert.deepEqual(others.binary, Buffer.from(Float32Array.of(1, 2, 3).buffer))
  assert.deepEqual(others.json.outputs[2]?.['data'], [4])
  assert.deepEqual(render(outputs, { binaryOutput: true }).binary.length, 16)
})

test('a view into a larger buffer is sent without its neighbours', () => {
  const data = Float32Array.of(1, 2, 3).subarray(1, 2)
  const { binary } = render([{ name: 'y', datatype: 'FP32', shape: [1], data }], { binaryOutput: true })
  assert.deepEqual(binary, Buffer.from(Float32Array.of(2).buffer))
})

test('strings in binary carry their lengths in bytes', () => {
  const { binary } = render([{ name: 's', datatype: 'BYTES', shape: [2], data: ['é', ''] }], { binaryOutput: true })
  assert.deepEqual([...binary], [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0])
})

test('classification gives the top classes of each row, equal scores in the order of the classes', () => {
  const scores = fp32('y', [2, 3], 0.1, 0.7, 0.2, 5, -1, 5)
  const outputs = [wanted('y', { classification: 2 })]
  assert.deepEqual(render([scores], { outputs }).json.outputs[0], {
    name: 'y',
    datatype: 'BYTES',
    shape: [2, 2],
    data: ['0.700000:1', '0.200000:2', '5.000000:0', '5.000000:2'],
  })
  const named = render([fp32('y', [3], 0.1, 0.7, 0.2)], {
    outputs: [wanted('y', { classification: 9 })],
    labels: ['cat', 'dog', 'a:b'],
  })
  assert.deepEqual(named.json.outputs[0]?.['shape'], [3])
  assert.deepEqual(named.json.outputs[0]?.['data'], ['0.700000:1:dog', '0.200000:2:a:b', '0.100000:0:cat'])
  assert.equal(render([scores], { outputs: [wanted('y', { classification: 1, binary: true })] }).binary.length, 28)
})

test('what has no scores or no JSON form is refused with a way out', () => {
  const outputs = [wanted('y', { classification: 1 })]
  const halves: Tensor = { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) }
  const refused: readonly [Tensor, Asked, RegExp][] = [
    [{ name: 'y', datatype: 'BYTES', shape: [1], data: ['a'] }, { outputs }, /"y" of shape \[1\] cannot be classified/],
    [fp32('y', [], 1), { outputs }, /"y" of shape \[\] cannot be classified/],
    [fp32('y', [1, 1, 1], 1), { outputs }, /"y" of shape \[1,1,1\] cannot be classified/],
    [halves, { outputs }, /"y" of shape \[1\] cannot be classified/],
    [halves, {}, /"y" is FP16, which has no JSON form; ask for it with binary_data: true/],
  ]
  for (const [tensor, asked, says] of refused)
    assert.throws(
      () => render([tensor], asked),
      (error) => error instanceof TowlineError && error.code === 'TL_REQUEST_INVALID' && says.test(error.detail),
    )
  assert.deepEqual([...render([halves], { binaryOutput: true }).binary], [0, 0x3c])
})

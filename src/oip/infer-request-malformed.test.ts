import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf, model, parse, request, text, utf8, withBinary, x } from '../../test/kit/infer-request-rig.ts'
import type { ModelSignature } from './tensor.ts'

const good = x('"data":[1,2]')
const two = model(['x', 'FP32', [-1, 2]], ['z', 'INT64', [1]])

interface Malformed {
  readonly body: string | readonly [Uint8Array<ArrayBuffer>, number]
  readonly says: string
  readonly signature?: ModelSignature
  readonly headerLength?: number
}

const broken = 'the JSON is broken at line 1, column'
const malformed: readonly Malformed[] = [
  { body: '', says: 'the body is empty; it must be a JSON object with `inputs`' },
  { body: '[]', says: `${broken} 1: the request must be an object, found \`[\`` },
  { body: '{"inputs"', says: `${broken} 10: expected \`:\` after the key, the body ends` },
  { body: '{inputs:[]}', says: `${broken} 2: expected a key in double quotes, found \`i\`` },
  { body: '{"id":"a" "inputs":[]}', says: `${broken} 11: expected \`,\` or \`}\`, found \`"\`` },
  { body: '{"id":"a', says: `${broken} 9: a string has no closing quote, the body ends` },
  {
    body: '{"id":"\\x"}',
    says: `${broken} 7: a string is not valid UTF-8 or holds a broken escape, found \`"\``,
  },
  { body: '{"id":7}', says: '`id` must be a string, found 7' },
  { body: `{"id":"${'a'.repeat(1025)}"}`, says: '`id` is longer than 1024 characters' },
  { body: '{"id":nul}', says: `${broken} 7: id has no value that JSON knows, found \`n\`` },
  { body: '{"id":"a","id":"b"}', says: 'the request has the key "id" twice' },
  { body: '{}', says: '`inputs` is missing' },
  {
    body: '{"input":[]}',
    says: '"input" is not a field of an inference request; known are id, inputs, outputs, parameters',
  },
  { body: '{"inputs":{}}', says: `${broken} 11: \`inputs\` must be an array, found \`{\`` },
  { body: '{"inputs":[]}', says: 'the model also needs input "x"' },
  { body: `${good}x`, says: `${broken} ${good.length + 1}: nothing may follow the request, found \`x\`` },
  { body: '{"inputs":[{"name":1}]}', says: 'inputs[0].name must be a string, found 1' },
  {
    body: '{"inputs":[{"name":"x","datatype":"FLOAT"}]}',
    says:
      'inputs[0].datatype is "FLOAT"; known are BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, ' +
      'FP16, BF16, FP32, FP64, BYTES',
  },
  {
    body: x('"dtype":"FP32"'),
    says: 'inputs[0] has the unknown key "dtype"; known are name, shape, datatype, parameters, data',
  },
  {
    body: '{"inputs":[{"name":"x","datatype":"FP32","shape":2,"data":[]}]}',
    says: 'inputs[0].shape must be an array of whole numbers, found 2',
  },
  {
    body: '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,-2],"data":[]}]}',
    says: 'inputs[0].shape has -2; every dimension must be a whole number from 0',
  },
  {
    body: request('FP32', [1, 3], '[1,2,3]'),
    says: 'input "x" has shape [1,3], the model takes [-1,2] (-1: any)',
  },
  { body: request('FP32', [0, 2], '[]'), says: 'input "x" has shape [0,2]: it holds no element' },
  { body: request('FP64', [1, 2], '[1,2]'), says: 'input "x" has datatype FP64, the model takes FP32' },
  {
    body: good.replace('"x"', '"w"'),
    says: 'the model has no input "w"; it has "x"',
  },
  {
    body: good.replace('[{', '[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},{'),
    says: 'an input is given twice: "x", "x"',
  },
  { body: good, signature: two, says: 'the model also needs input "z"' },
  { body: x('"parameters":{}'), says: 'input "x" has no `data` and no `parameters.binary_data_size`' },
  { body: x('"parameters":[]'), says: 'inputs[0].parameters must be an object, found []' },
  {
    body: x('"data":[1]'),
    says: `${broken} 66: the data of input "x" has 1 elements, its shape [1,2] needs 2, found \`}\``,
  },
  {
    body: x('"data":[1,2,3]'),
    says: `${broken} 68: the data of input "x" has more than the 2 elements of its shape [1,2], found \`3\``,
  },
  {
    body: x('"data":[[1],[2]]'),
    says: `${broken} 66: the data of input "x" has 1 elements in dimension 1, its shape [1,2] says 2, found \`]\``,
  },
  {
    body: x('"data":[1,[2]]'),
    says: `${broken} 66: the data of input "x" mixes numbers and arrays, found \`[\``,
  },
  {
    body: x('"data":[[[1,2]]]'),
    says: `${broken} 65: the data of input "x" is nested deeper than its shape [1,2], found \`[\``,
  },
  { body: x('"data":[]'), says: `${broken} 64: the data of input "x" has an empty array, found \`]\`` },
  { body: x('"data":7'), says: `${broken} 63: the data of input "x" must be an array, found \`7\`` },
  {
    body: x('"data":[1,NaN]'),
    says: `${broken} 66: the data of input "x" is FP32: \`NaN\` is not a number, found \`N\``,
  },
  {
    body: x('"data":[1,1e39]'),
    says: `${broken} 66: the data of input "x" is FP32: \`1e39\` is out of its range, found \`1\``,
  },
  {
    body: x('"data":[1,01]'),
    says: `${broken} 66: the data of input "x" is FP32: \`01\` is not a number, found \`0\``,
  },
  {
    body: request('UINT8', [1], '[256]'),
    signature: model(['x', 'UINT8', [-1]]),
    says: `${broken} 63: the data of input "x" is UINT8: \`256\` is out of its range, found \`2\``,
  },
  {
    body: request('INT64', [1], '[9223372036854775808]'),
    signature: model(['x', 'INT64', [-1]]),
    says: `${broken} 63: the data of input "x" is INT64: \`9223372036854775808\` is out of its range, found \`9\``,
  },
  {
    body: request('BOOL', [1], '[1]'),
    signature: model(['x', 'BOOL', [-1]]),
    says: `${broken} 63: the data of input "x" is BOOL: every element must be true or false, found \`]\``,
  },
  {
    body: request('FP16', [1], '[1]'),
    signature: model(['x', 'FP16', [-1]]),
    says: 'input "x": FP16 has no JSON form; send it with the binary tensor extension',
  },
  {
    body: request('BYTES', [1], '[1]'),
    signature: text,
    says: 'the data of input "x" is BYTES: every element must be a string, found 1',
  },
  {
    body: request('BYTES', [2], '["a"]'),
    signature: text,
    says: 'the data of input "x" has 1 elements, its shape [2] needs 2',
  },
  {
    body: request('FP32', [1e12, 16], '[1]'),
    signature: model(['x', 'FP32', [-1, -1]]),
    says: 'input "x" has shape [1000000000000,16], 16000000000000 elements, but the whole body has 81 bytes',
  },
  {
    body: request('FP32', [1e12, 1e12], '[1]'),
    signature: model(['x', 'FP32', [-1, -1]]),
    says: 'input "x" has shape [1000000000000,1000000000000]: more elements than can be counted',
  },
  {
    body: good.replace(/}$/, ',"outputs":[{"name":"z"}]}'),
    says: 'the model has no output "z"; it has "y"',
  },
  {
    body: good.replace(/}$/, ',"outputs":[{"name":"y"},{"name":"y"}]}'),
    says: 'output "y" is asked for twice',
  },
  {
    body: good.replace(/}$/, ',"outputs":[{"name":"y","parameters":{"binary_data":1}}]}'),
    says: 'the parameter binary_data must be true or false, found 1',
  },
  {
    body: good.replace(/}$/, ',"outputs":[{"name":"y","parameters":{"classification":-1}}]}'),
    says: 'outputs[0].parameters.classification must be a whole number, found -1',
  },
  {
    body: good,
    headerLength: 1000,
    says: `Inference-Header-Content-Length is 1000, but the body has only ${good.length} bytes`,
  },
  {
    body: withBinary(x('"parameters":{"binary_data_size":-1}')),
    says: 'inputs[0].parameters.binary_data_size must be a whole number of bytes, found -1',
  },
  {
    body: withBinary(x('"data":[1,2],"parameters":{"binary_data_size":8}'), new Uint8Array(8)),
    says: 'inputs[0] has both `data` and `binary_data_size`; one of them',
  },
  {
    body: withBinary(x('"parameters":{"binary_data_size":8}'), new Uint8Array(7)),
    says: 'input "x" claims 8 binary bytes, but only 7 are left in the body',
  },
  {
    body: withBinary(x('"parameters":{"binary_data_size":7}'), new Uint8Array(7)),
    says: 'input "x" has 7 binary bytes, its shape [1,2] of FP32 needs 8',
  },
  {
    body: withBinary(x('"parameters":{"binary_data_size":8}'), new Uint8Array(9)),
    says: '1 bytes follow the last tensor and belong to none',
  },
  {
    body: [utf8(`${good}x`), good.length + 1],
    says: `${broken} ${good.length + 1}: the JSON ends before the length its header states, found \`x\``,
  },
  {
    body: withBinary(
      '{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}',
      Uint8Array.of(2, 0, 0, 0, 97),
    ),
    signature: text,
    says: 'input "x": element 0 reaches beyond the end of its 5 bytes',
  },
  {
    body: withBinary(
      '{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}',
      Uint8Array.of(1, 0, 0, 0, 255),
    ),
    signature: text,
    says: 'input "x": element 0 is not UTF-8, and the model takes text',
  },
  {
    body: 'abc',
    headerLength: 0,
    says: 'the raw body for input "x" has 3 bytes, which is no whole tensor of shape [1,2] of FP32 (8 bytes a piece)',
  },
  { body: 'abc', headerLength: 0, signature: two, says: 'a raw body needs a model with one input; this one has 2' },
]
test('each malformed request is told what is wrong, where, in words of its own', () => {
  for (const { body, says, signature, headerLength } of malformed) {
    const [bytes, length] = typeof body === 'string' ? [body, headerLength] : body
    const failure = failureOf(() => parse(bytes, signature, length))
    assert.equal(failure.detail, says)
    assert.equal(failure.code, 'TL_REQUEST_INVALID')
  }
  assert.equal(new Set(malformed.map(({ says }) => says)).size, malformed.length)
  parse(good)
})

test('a wrong value of a megabyte is not repeated in the message', () => {
  const long = JSON.stringify({ a: 'b'.repeat(1e6) })
  for (const body of [`{"id":${long}}`, request('BYTES', [1], `[${long}]`), x(`"parameters":[${long}]`)])
    assert.ok(failureOf(() => parse(body, text)).message.length < 400)
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TowlineError } from '../base/errors.ts'
import { modelsDir, openTestReplica } from '../../test/kit/replica-rig.ts'

interface Value {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: readonly unknown[]
}
interface Expected {
  readonly inputs: Readonly<Record<string, Value>>
  readonly outputs: Readonly<Record<string, Value>>
}

const datatypes: Readonly<Record<string, string>> = {
  float32: 'FP32',
  float64: 'FP64',
  int8: 'INT8',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  bool: 'BOOL',
  object: 'BYTES',
}
const text = readFileSync(join(modelsDir, 'expected.json'), 'utf8')
/** Big integers as text, so that the test itself loses no digit of them. */
const { models } = JSON.parse(text.replaceAll(/(?<=[[\s,])-?\d{16,}(?=[\],\s])/g, '"$&"')) as {
  models: Record<string, Expected>
}
// slow.onnx is for queues; float16 has no JSON form; the ZipMap model must be refused.
const loadable = Object.keys(models).filter((name) => !/^(broken-|slow|identity-fp16|iris-zipmap\.onnx)/.test(name))

for (const name of loadable) {
  test(`${name} answers over HTTP as the runtime does in Python`, async (t) => {
    const { url } = await openTestReplica(t, name)
    const { inputs, outputs } = models[name] ?? assert.fail()
    const request = {
      inputs: Object.entries(inputs).map(([input, { dtype, shape, data }]) => ({
        name: input,
        datatype: datatypes[dtype],
        shape,
        data,
      })),
    }
    // Back to bare digits on the wire.
    const body = JSON.stringify(request).replaceAll(/"(-?\d{16,})"/g, '$1')
    const answer = await fetch(`${url}/v2/models/m/infer`, { method: 'POST', body })
    const raw = await answer.text()
    assert.equal(answer.status, 200, raw)
    const seen = JSON.parse(raw.replaceAll(/(?<=[[,])-?\d{16,}(?=[\],])/g, '"$&"')) as {
      outputs: { name: string; shape: number[]; data: unknown[] }[]
    }
    for (const [output, wanted] of Object.entries(outputs)) {
      const { shape, data } = seen.outputs.find((other) => other.name === output) ?? assert.fail(`no output ${output}`)
      assert.deepEqual(shape, wanted.shape)
      data.forEach((value, at) => {
        const other = wanted.data[at]
        if (typeof value === 'number' && typeof other === 'number')
          assert.ok(
            Math.abs(value - other) <= 1e-5 * Math.max(1, Math.abs(other)),
            `${output}[${at}]: ${value}, expected ${other}`,
          )
        else assert.deepEqual(value, other)
      })
    }
  })
}

const refused: Readonly<Record<string, RegExp>> = {
  'broken-empty.onnx': /: ModelProto does not have a graph\.$/,
  'broken-external-escape.onnx': /escapes model directory/,
  'broken-external-missing.onnx': /does not exist/,
  'broken-ir99.onnx': /IR version|ir_version/i,
  'broken-opset99.onnx': /opset/i,
  'broken-text.onnx': /Protobuf parsing failed/,
  'broken-truncated.onnx': /Protobuf parsing failed/,
  'broken-unknown-op.onnx': /NoSuchOp/,
  'iris-zipmap.onnx': /`output_probability` is not a tensor/,
}

for (const [name, says] of Object.entries(refused)) {
  test(`${name} is refused with the runtime's reason and a way out`, async (t) => {
    const failure = await openTestReplica(t, name).then(
      () => assert.fail('it was loaded'),
      (error: unknown) => error,
    )
    assert.ok(failure instanceof TowlineError, String(failure))
    assert.equal(failure.code, 'TL_MODEL_UNLOADABLE')
    assert.match(failure.detail, says)
    assert.ok(failure.hint !== undefined)
  })
}

import assert from 'node:assert/strict'
import { TowlineError } from '../../src/base/errors.ts'
import { parseInferRequest } from '../../src/oip/infer-request.ts'
import type { Datatype, ModelSignature, Tensor } from '../../src/oip/tensor.ts'

export const model = (...inputs: readonly (readonly [string, Datatype, readonly number[]])[]): ModelSignature => ({
  name: 'm',
  platform: 'test',
  inputs: inputs.map(([name, datatype, shape]) => ({ name, datatype, shape })),
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
})
export const floats = model(['x', 'FP32', [-1, 2]])
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

export function parse(body: string | Uint8Array<ArrayBuffer>, signature = floats, headerLength?: number) {
  return parseInferRequest(typeof body === 'string' ? utf8(body) : body, { headerLength, signature })
}

/** One input `x`, with `data` as the text it has on the wire. */
export const request = (datatype: Datatype, shape: readonly number[], data: string): string =>
  `{"inputs":[{"name":"x","shape":[${shape.join(',')}],"datatype":"${datatype}","data":${data}}]}`

export const only = ({ inputs }: { readonly inputs: readonly Tensor[] }): Tensor => inputs[0] ?? assert.fail('no input')

export function bytesOf({ data }: Tensor): Buffer {
  if (!('buffer' in data)) return assert.fail('strings have no buffer')
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

/** A body of the binary extension and the length of its JSON. */
export function withBinary(header: string, ...parts: readonly Uint8Array[]): [Uint8Array<ArrayBuffer>, number] {
  const json = utf8(header)
  return [new Uint8Array(Buffer.concat([json, ...parts])), json.length]
}

export function failureOf(run: () => unknown): TowlineError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof TowlineError, `not a TowlineError: ${String(error)}`)
    return error
  }
  return assert.fail('it was accepted')
}

/** A request with one input `x`, complete but for what `more` says. */
export const x = (more: string): string => `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32",${more}}]}`
export const text = model(['x', 'BYTES', [-1]])

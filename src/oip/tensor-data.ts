import { TowlineError } from '../base/errors.ts'
import type { Datatype, NumericData } from './tensor.ts'
import { datatypes } from './tensor.ts'

/** Elements of a shape; Infinity instead of a wrapped number. */
export function countElements(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1)
  return Number.isSafeInteger(count) ? count : Infinity
}

const arrayKinds = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const

export type NumericDatatype = keyof typeof arrayKinds

export function createNumericData(datatype: NumericDatatype, count: number): NumericData {
  return new arrayKinds[datatype](count)
}

/** Elements over the bytes where they lie, or over a copy where they lie badly for their size. */
export function viewNumericData(
  datatype: NumericDatatype,
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  count: number,
): NumericData {
  const Kind = arrayKinds[datatype]
  const start = bytes.byteOffset + offset
  if (start % Kind.BYTES_PER_ELEMENT === 0) return new Kind(bytes.buffer, start, count)
  return new Kind(bytes.buffer.slice(start, start + count * Kind.BYTES_PER_ELEMENT))
}

export function elementBytes(datatype: NumericDatatype): number {
  return datatypes[datatype].bytes
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** BYTES in binary form: a 4-byte little-endian length before each element. */
export function parseStrings(bytes: Uint8Array, count: number, what: string): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const strings: string[] = []
  let at = 0
  while (at < bytes.length) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity
    if (at + 4 + length > bytes.length) {
      throw new TowlineError(
        'TL_REQUEST_INVALID',
        `${what}: element ${strings.length} reaches beyond the end of its ${bytes.length} bytes`,
      )
    }
    if (strings.length === count)
      throw new TowlineError('TL_REQUEST_INVALID', `${what} has more than the ${count} elements of its shape`)
    try {
      strings.push(decoder.decode(bytes.subarray(at + 4, at + 4 + length)))
    } catch {
      throw new TowlineError(
        'TL_REQUEST_INVALID',
        `${what}: element ${strings.length} is not UTF-8, and the model takes text`,
      )
    }
    at += 4 + length
  }
  if (strings.length !== count)
    throw new TowlineError('TL_REQUEST_INVALID', `${what} has ${strings.length} elements, its shape needs ${count}`)
  return strings
}

export function renderStrings(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoded = strings.map((text) => encoder.encode(text))
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const text of encoded) {
    view.setUint32(at, text.length, true)
    bytes.set(text, at + 4)
    at += 4 + text.length
  }
  return bytes
}

export function isNumericDatatype(datatype: Datatype): datatype is NumericDatatype {
  return datatype !== 'BYTES'
}

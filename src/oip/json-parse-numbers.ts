import type { JsonCursor } from './json-cursor.ts'
import { type NumbersForm, integerRanges } from './json-numbers.ts'
import type { NumericData } from './tensor.ts'

/** The first number that rounds to an infinite FP32. */
const float32Limit = 3.4028235677973366e38

/**
 * Numbers by way of the platform's JSON parser. False where it must not or cannot be used (64-bit integers lose digits in
 * it; anything wrong needs the scanner's exact words): then nothing was passed, and what `target` holds is worth nothing.
 */
export function parseNumbers(cursor: JsonCursor, form: NumbersForm, target: NumericData): boolean {
  const { datatype, shape, count } = form
  if (target instanceof BigInt64Array || target instanceof BigUint64Array || datatype === 'BOOL') return false
  cursor.peek()
  const start = cursor.at
  if (!cursor.skipNumberArray()) return false
  const end = cursor.at
  cursor.at = start
  const values = flatten(parse(cursor.bytes, start, end), shape)
  if (values === undefined || values.length !== count) return false
  const range = integerRanges[datatype]
  const lowest = range === undefined ? -Infinity : Number(range[0])
  const highest = range === undefined ? Infinity : Number(range[1])
  const limit = datatype === 'FP32' ? float32Limit : Infinity
  for (let index = 0; index < count; index++) {
    const value = values[index]
    if (typeof value !== 'number' || !(Math.abs(value) < limit)) return false
    if (range !== undefined && (!Number.isInteger(value) || value < lowest || value > highest)) return false
    target[index] = value
  }
  cursor.at = end
  return true
}

function parse(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    // Latin-1: what is not ASCII is no number, and is refused by the parser.
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'))
  } catch {
    return undefined
  }
}

/** Flat as it is, or nested exactly as the shape says. */
function flatten(value: unknown, shape: readonly number[]): readonly unknown[] | undefined {
  if (!Array.isArray(value)) return undefined
  if (!Array.isArray(value[0])) return value
  const fits = (part: unknown, dimension: number): boolean =>
    dimension === shape.length ||
    (Array.isArray(part) &&
      part.length === shape[dimension] &&
      part.every((inner) => Array.isArray(inner) === dimension + 1 < shape.length && fits(inner, dimension + 1)))
  return fits(value, 0) ? value.flat(shape.length) : undefined
}

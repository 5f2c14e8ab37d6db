import type { JsonCursor } from './json-cursor.ts'
import { isNumber } from './json-cursor.ts'
import type { Datatype } from './tensor.ts'

/** One array of a tensor's numbers to read: their type, how many, and the shape that nested arrays must have. */
export interface NumbersForm {
  readonly what: string
  readonly datatype: Exclude<Datatype, 'BYTES' | 'FP16' | 'BF16'>
  readonly shape: readonly number[]
  readonly count: number
}

type Store = (index: number, token: NumberToken) => void

/** The number under the cursor: `value` is exact when `exact`, otherwise within 2e-14 of it. */
interface NumberToken {
  value: number
  exact: boolean
  integral: boolean
  start: number
  end: number
}

const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d

/** Reads flat or nested arrays into `target`, row-major. Anything but exactly `form.count` elements in that shape is refused. */
export function readNumbers(
  cursor: JsonCursor,
  form: NumbersForm,
  store: Store | 'Bool',
  target: { length: number; [index: number]: unknown },
): void {
  const token: NumberToken = { value: 0, exact: true, integral: true, start: 0, end: 0 }
  const rank = form.shape.length
  const counts = Array.from({ length: rank + 2 }, () => 0)
  let depth = 0
  let index = 0
  let nested = false
  let wantValue = true
  if (cursor.peek() !== openBracket) cursor.fail(`${form.what} must be an array`)
  for (;;) {
    const byte = cursor.peek()
    if (byte === openBracket && wantValue) {
      if (depth > 0) counts[depth] = (counts[depth] ?? 0) + 1
      depth++
      if (depth > Math.max(1, rank)) cursor.fail(`${form.what} is nested deeper than its shape ${render(form.shape)}`)
      if (depth > 1 && !nested && index > 0) cursor.fail(`${form.what} mixes numbers and arrays`)
      if (depth > 1) nested = true
      counts[depth] = 0
      cursor.at++
      if (cursor.peek() === closeBracket) cursor.fail(`${form.what} has an empty array`)
      continue
    }
    if (byte === closeBracket && !wantValue) {
      if (nested && counts[depth] !== form.shape[depth - 1]) {
        cursor.fail(
          `${form.what} has ${counts[depth]} elements in dimension ${depth - 1}, its shape ${render(form.shape)} says ${form.shape[depth - 1]}`,
        )
      }
      cursor.at++
      if (--depth === 0) break
      continue
    }
    if (byte === comma && !wantValue) {
      cursor.at++
      wantValue = true
      continue
    }
    if (!wantValue) cursor.fail('expected `,` or `]`')
    if (nested && depth !== rank) cursor.fail(`${form.what} mixes numbers and arrays`)
    if (index >= form.count)
      cursor.fail(`${form.what} has more than the ${form.count} elements of its shape ${render(form.shape)}`)
    if (store === 'Bool') target[index] = readBool(cursor, form)
    else {
      scanNumber(cursor, form, token)
      store(index, token)
      cursor.at = token.end
    }
    counts[depth] = (counts[depth] ?? 0) + 1
    index++
    wantValue = false
  }
  if (index !== form.count)
    cursor.fail(`${form.what} has ${index} elements, its shape ${render(form.shape)} needs ${form.count}`)
}

function readBool(cursor: JsonCursor, form: NumbersForm): number {
  const value = cursor.readValue(form.what)
  if (typeof value !== 'boolean') cursor.fail(`${form.what} is BOOL: every element must be true or false`)
  return value ? 1 : 0
}

/**
 * Strict JSON number grammar. The first 15 digits are kept exactly in a double; with a power of ten up to 22 one
 * multiplication or division then rounds correctly (Clinger's fast path). More digits: a value near enough for FP32.
 */
function scanNumber(cursor: JsonCursor, form: NumbersForm, token: NumberToken): void {
  const { bytes, end } = cursor
  let at = cursor.at
  const start = at
  let negative = false
  if (bytes[at] === 0x2d) {
    negative = true
    at++
  }
  let mantissa = 0
  let digits = 0
  let exponent = 0
  let dropped = false
  const firstDigit = at
  let byte = at < end ? (bytes[at] as number) : 0 // inside the array
  for (; byte >= 0x30 && byte <= 0x39; byte = ++at < end ? (bytes[at] as number) : 0) {
    if (digits < 15) {
      mantissa = mantissa * 10 + (byte - 0x30)
      if (mantissa > 0) digits++
    } else {
      exponent++
      dropped ||= byte !== 0x30
    }
  }
  const wholeDigits = at - firstDigit
  if (wholeDigits === 0 || (wholeDigits > 1 && bytes[firstDigit] === 0x30)) refuse(cursor, form, start)
  let integral = true
  if (byte === 0x2e) {
    integral = false
    const fraction = ++at
    byte = at < end ? (bytes[at] as number) : 0
    for (; byte >= 0x30 && byte <= 0x39; byte = ++at < end ? (bytes[at] as number) : 0) {
      if (digits < 15) {
        mantissa = mantissa * 10 + (byte - 0x30)
        exponent--
        if (mantissa > 0) digits++
      } else dropped ||= byte !== 0x30
    }
    if (at === fraction) refuse(cursor, form, start)
  }
  if (byte === 0x65 || byte === 0x45) {
    integral = false
    at++
    let sign = 1
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) sign = bytes[at++] === 0x2d ? -1 : 1
    const power = at
    let written = 0
    byte = at < end ? (bytes[at] as number) : 0
    for (; byte >= 0x30 && byte <= 0x39; byte = ++at < end ? (bytes[at] as number) : 0)
      written = Math.min(9999, written * 10 + byte - 0x30)
    if (at === power) refuse(cursor, form, start)
    exponent += sign * written
  }
  token.start = start
  token.end = at
  token.integral = integral
  if (mantissa === 0) {
    token.exact = !dropped
    token.value = negative ? -0 : 0
  } else if (exponent >= -22 && exponent <= 22) {
    token.exact = !dropped
    const value =
      exponent < 0 ? mantissa / (powersOfTen[-exponent] as number) : mantissa * (powersOfTen[exponent] as number)
    token.value = negative ? -value : value
  } else {
    token.exact = true
    token.value = Number(sliceText(bytes, start, at))
  }
}

function refuse(cursor: JsonCursor, form: NumbersForm, start: number): never {
  cursor.at = start
  let end = start
  while (end < cursor.end && end - start < 40 && !/[\s,\]}]/.test(String.fromCharCode(cursor.bytes[end] ?? 0))) end++
  const word = sliceText(cursor.bytes, start, end)
  return cursor.fail(
    `${form.what} is ${form.datatype}: \`${word}\` is ${isNumber(word) ? 'out of its range' : 'not a number'}`,
  )
}

const sliceText = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 400)))

const render = (shape: readonly number[]): string => `[${shape.join(',')}]`

/** How a token becomes an element. Integers are exact to their last digit; FP32 and FP64 are correctly rounded. */
export function createStore(
  cursor: JsonCursor,
  form: NumbersForm,
  target: Float32Array | Float64Array | { [index: number]: number | bigint },
): Store {
  const exactValue = (token: NumberToken): number =>
    token.exact ? token.value : Number(sliceText(cursor.bytes, token.start, token.end))
  const write = target as { [index: number]: number | bigint } // all numeric arrays are written by index
  const range = integerRanges[form.datatype]
  if (range === undefined) {
    const limit = form.datatype === 'FP32' ? 3.4028235677973366e38 : Number.MAX_VALUE
    return (index, token) => {
      let { value } = token
      // Both neighbours round to the same FP32: so does the exact value between them.
      if (
        !token.exact &&
        (form.datatype === 'FP64' || Math.fround(value * (1 - 2e-14)) !== Math.fround(value * (1 + 2e-14)))
      )
        value = exactValue(token)
      if (!(Math.abs(value) < limit || (form.datatype === 'FP64' && Math.abs(value) <= limit)))
        refuse(cursor, form, token.start)
      write[index] = value
    }
  }
  const wide = form.datatype === 'INT64' || form.datatype === 'UINT64'
  return (index, token) => {
    if (wide) {
      let whole: bigint
      if (token.exact && Number.isSafeInteger(token.value)) whole = BigInt(token.value)
      else {
        if (!token.integral || token.end - token.start > 40) refuse(cursor, form, token.start)
        whole = BigInt(sliceText(cursor.bytes, token.start, token.end))
      }
      if (whole < range[0] || whole > range[1]) refuse(cursor, form, token.start)
      write[index] = whole
    } else {
      const value = exactValue(token)
      if (!Number.isInteger(value) || value < Number(range[0]) || value > Number(range[1]))
        refuse(cursor, form, token.start)
      write[index] = value
    }
  }
}

export const integerRanges: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT8: [0n, 255n],
  UINT16: [0n, 65_535n],
  UINT32: [0n, 4_294_967_295n],
  UINT64: [0n, (1n << 64n) - 1n],
  INT8: [-128n, 127n],
  INT16: [-32_768n, 32_767n],
  INT32: [-2_147_483_648n, 2_147_483_647n],
  INT64: [-(1n << 63n), (1n << 63n) - 1n],
}

import { TowlineError } from '../base/errors.ts'

const space = 0x20
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Deeper nesting is an attack, not a request. */
const maxDepth = 32
const maxStringBytes = 1 << 20
const text = new TextDecoder('utf-8', { fatal: true })

/**
 * A strict JSON reader over bytes. It exists so that the numbers of a tensor go from the body straight into their typed
 * array (`oip/json-numbers.ts`), while the small envelope around them becomes ordinary values.
 */
export class JsonCursor {
  readonly bytes: Uint8Array
  readonly end: number
  at = 0

  constructor(bytes: Uint8Array, end = bytes.length) {
    this.bytes = bytes
    this.end = end
  }

  /** The next byte that is no white space, not taken; -1 at the end. */
  peek(): number {
    const { bytes, end } = this
    let { at } = this
    while (at < end) {
      const byte = bytes[at] as number // `at` is inside the array
      if (byte !== space && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        this.at = at
        return byte
      }
      at++
    }
    this.at = at
    return -1
  }

  fail(what: string): never {
    const before = this.bytes.subarray(0, Math.min(this.at, this.end))
    let line = 1
    let lineStart = 0
    for (let at = before.indexOf(0x0a); at !== -1; at = before.indexOf(0x0a, at + 1)) {
      line++
      lineStart = at + 1
    }
    const found = this.at >= this.end ? 'the body ends' : `found ${renderByte(this.bytes[this.at] ?? 0)}`
    throw new TowlineError(
      'TL_REQUEST_INVALID',
      `the JSON is broken at line ${line}, column ${this.at - lineStart + 1}: ${what}, ${found}`,
    )
  }

  /** Calls `member` for each key; it must take the value. A key given twice is refused. */
  readObject(what: string, member: (key: string) => void): void {
    if (this.peek() !== openBrace) this.fail(`${what} must be an object`)
    this.at++
    if (this.peek() === closeBrace) return void this.at++
    const seen = new Set<string>()
    for (;;) {
      if (this.peek() !== quote) this.fail('expected a key in double quotes')
      const key = this.readString()
      if (seen.has(key)) {
        throw new TowlineError('TL_REQUEST_INVALID', `${what} has the key ${JSON.stringify(key.slice(0, 80))} twice`)
      }
      seen.add(key)
      if (this.peek() !== colon) this.fail('expected `:` after the key')
      this.at++
      member(key)
      const next = this.peek()
      this.at++
      if (next === closeBrace) return
      if (next !== comma) {
        this.at--
        this.fail('expected `,` or `}`')
      }
    }
  }

  /** Calls `element` for each element; it must take the value. */
  readArray(what: string, element: (index: number) => void): void {
    if (this.peek() !== openBracket) this.fail(`${what} must be an array`)
    this.at++
    if (this.peek() === closeBracket) return void this.at++
    for (let index = 0; ; index++) {
      element(index)
      const next = this.peek()
      this.at++
      if (next === closeBracket) return
      if (next !== comma) {
        this.at--
        this.fail('expected `,` or `]`')
      }
    }
  }

  readString(): string {
    const { bytes, end } = this
    const start = this.at
    let at = start + 1
    let plain = true
    for (; at < end; at++) {
      const byte = bytes[at] as number // `at` is inside the array
      if (byte === quote) break
      if (byte === backslash) {
        plain = false
        at++
      }
    }
    if (at >= end) {
      this.at = end
      this.fail('a string has no closing quote')
    }
    if (at - start > maxStringBytes) this.fail(`a string is longer than ${maxStringBytes} bytes`)
    let value: string
    try {
      value = text.decode(bytes.subarray(start + 1, at))
      // Escapes and control characters are rare: the platform's own parser knows them best.
      if (!plain || hasControl(value)) value = JSON.parse(`"${value}"`)
    } catch {
      this.fail('a string is not valid UTF-8 or holds a broken escape')
    }
    this.at = at + 1
    return value
  }

  /** Any value. Numbers as JavaScript reads them: only for the small values around tensors. */
  readValue(what: string, depth = 0): unknown {
    if (depth > maxDepth) this.fail(`nested deeper than ${maxDepth} levels`)
    const byte = this.peek()
    if (byte === quote) return this.readString()
    if (byte === openBrace) {
      const value: Record<string, unknown> = Object.create(null)
      this.readObject(what, (key) => {
        value[key] = this.readValue(`${what}.${key}`, depth + 1)
      })
      return value
    }
    if (byte === openBracket) {
      const value: unknown[] = []
      this.readArray(what, () => value.push(this.readValue(what, depth + 1)))
      return value
    }
    return this.#readScalar(what)
  }

  #readScalar(what: string): unknown {
    const start = this.at
    let at = start
    while (at < this.end && at - start < 64 && isWordByte(this.bytes[at] ?? 0)) at++
    const word = String.fromCharCode(...this.bytes.subarray(start, at))
    if (word === 'true' || word === 'false' || word === 'null' || isNumber(word)) {
      this.at = at
      return JSON.parse(word)
    }
    return this.fail(`${what} has no value that JSON knows`)
  }

  /**
   * Passes over an array of numbers with the platform's own byte search, many times faster than a look at each byte. False,
   * and nothing passed, when the value is something else or nested deeper than any tensor.
   */
  skipNumberArray(): boolean {
    const { end } = this
    if (this.peek() !== openBracket) return false
    // Buffer's search is the C library's; that of a plain Uint8Array looks at one byte at a time.
    const bytes = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    const find = (byte: number, from: number): number => {
      const at = bytes.indexOf(byte, from)
      return at === -1 || at >= end ? Infinity : at
    }
    let depth = 0
    let nextOpen = this.at
    let nextClose = find(closeBracket, this.at)
    for (;;) {
      if (nextOpen < nextClose) {
        if (++depth > maxDepth) return false
        nextOpen = find(openBracket, nextOpen + 1)
      } else {
        if (nextClose === Infinity) return false
        if (--depth === 0) break
        nextClose = find(closeBracket, nextClose + 1)
      }
    }
    // A bracket inside a string would have been counted.
    if (find(quote, this.at) < nextClose) return false
    this.at = nextClose + 1
    return true
  }

  /** Passes over any value without keeping it; brackets inside strings do not count. */
  skipValue(): void {
    if (this.skipNumberArray()) return
    let depth = 0
    do {
      const byte = this.peek()
      if (byte === -1) this.fail('a value is not closed')
      if (byte === quote) this.readString()
      else {
        if (byte === openBracket || byte === openBrace) depth++
        else if (byte === closeBracket || byte === closeBrace) depth--
        this.at++
        if (depth === 0 && byte !== closeBracket && byte !== closeBrace) {
          while (this.at < this.end && isWordByte(this.bytes[this.at] ?? 0)) this.at++
        }
      }
    } while (depth > 0)
  }
}

const numberForm = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

export function isNumber(word: string): boolean {
  return numberForm.test(word)
}

function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x2e ||
    byte === 0x2b ||
    byte === 0x2d
  )
}

function hasControl(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (value.charCodeAt(at) < space) return true
  return false
}

function renderByte(byte: number): string {
  return byte > space && byte < 0x7f
    ? `\`${String.fromCharCode(byte)}\``
    : `byte 0x${byte.toString(16).padStart(2, '0')}`
}
